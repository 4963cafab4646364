import { isJsonObject, type JsonValue, jsonPointer, type RefusalList, readFrame, readValue } from "@basil/catalog";
import * as z from "zod";
import type { PolicyRefusalCode } from "./errors.js";
import type { PolicyConfig } from "./policy.js";
import { configFrameSchema, groupsSchema, namesFrameSchema } from "./policy-schema.js";

type Refusals = Pick<RefusalList<PolicyRefusalCode>, "add" | "full">;

/** Reads `config`: names for labels, and the groups of each uid. */
export function readConfig(value: JsonValue | undefined, refusals: Refusals): PolicyConfig {
  if (!isJsonObject(value)) return { users: new Map(), groups: new Map() };
  const config = readFrame(configFrameSchema, value, ["names", "memberships"], "/config", refusals);
  const names = isJsonObject(config.names)
    ? readFrame(namesFrameSchema, config.names, ["users", "groups"], "/config/names", refusals)
    : {};
  const users = readNumbered(names.users, "/config/names/users", nameSchema, refusals);
  const groups = readNumbered(names.groups, "/config/names/groups", nameSchema, refusals);
  if (config.memberships === undefined) return { users, groups };
  const memberships = readNumbered(config.memberships, "/config/memberships", groupsSchema, refusals);
  return { users, groups, memberships };
}

const nameSchema = z.string();

/** A map whose member names are unsigned 32-bit integers in canonical decimal. */
function readNumbered<T extends z.ZodType>(
  map: JsonValue | undefined,
  pointer: string,
  schema: T,
  refusals: Refusals,
): Map<number, z.output<T>> {
  const entries: [number, z.output<T>][] = [];
  for (const [name, value] of Object.entries(isJsonObject(map) ? map : {})) {
    if (refusals.full) break;
    const at = jsonPointer(pointer, name);
    const number = Number(name);
    if (!/^(?:0|[1-9][0-9]{0,9})$/.test(name) || number > 4294967295) {
      const allowed = "an integer from 0 to 4294967295 in plain digits";
      refusals.add({ code: "Json", pointer: at, problem: "not a number", found: name, allowed });
    }
    const read = readValue(schema, value, at, refusals);
    if (read !== undefined) entries.push([number, read]);
  }
  return new Map(entries.sort(([a], [b]) => a - b));
}
