// The engine's worker on a device without subgroups.
import './without_subgroups.js';
// @ts-expect-error the site is served at the root
import '/engines/transformers_js.js';
