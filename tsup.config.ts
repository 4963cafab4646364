import { defineConfig } from "tsup";

// One configuration for every package; each runs it from its own folder. Types are built by tsc.
export default defineConfig({
  entry: ["src/index.ts"],
  format: ["esm"],
  target: "node22",
  platform: "node",
  // tsup leaves out dependencies, but takes optionalDependencies in; those are loaded only when they are named.
  external: [/^@basil\//],
  splitting: true,
  sourcemap: true,
  dts: false,
  clean: false,
  silent: true,
});
