export { default } from "../../../node_modules/@highlightjs/cdn-assets/es/core.js";
