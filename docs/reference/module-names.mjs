import { relative } from "node:path";
import { Converter, ReflectionKind } from "typedoc";
import { entryPoints, root } from "./entry-points.ts";

/** A typedoc plugin: modules are called what a program imports, not where their declarations were built. */
export function load(app) {
  const names = new Map(
    entryPoints().map(({ types, specifier }) => [relative(root, types).replace(/(\/index)?\.d\.ts$/, ""), specifier]),
  );
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
      const specifier = names.get(module.name);
      if (specifier === undefined) throw new Error(`no entry point is built at ${module.name}`);
      module.name = specifier;
    }
  });
}
