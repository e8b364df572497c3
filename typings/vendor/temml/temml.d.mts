import type { Options } from "temml";

declare const temml: { __renderToMathMLTree(tex: string, options: Options): any };
export default temml;
