import { entryPoints, root } from "./reference/entry-points.ts";

/** @type {import("typedoc").TypeDocOptions} */
export default {
  name: "Basil for Node",
  // The declarations as they are published: what the reference shows is what a program gets.
  entryPoints: entryPoints().map(({ types }) => types),
  plugin: ["./reference/module-names.mjs"],
  tsconfig: "tsconfig.reference.json",
  basePath: root,
  readme: "none",
  out: "reference/html",
  disableSources: true,
  excludePrivate: true,
  treatWarningsAsErrors: true,
};
