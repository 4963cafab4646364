export { sealedFiles } from "./backend.js";
export { plugin } from "./plugin.js";
