import { Refusal } from "../refusal.js";

export interface TagInput {
  readonly TagKey: string;
  readonly TagValue: string;
}

const maximumTags = 50;

/** The tags of a request as a map; duplicates, reserved names and too many of them are refused. */
export function tagsFromRequest(
  tags: readonly TagInput[],
  existing: ReadonlyMap<string, string> = new Map(),
): Map<string, string> {
  const added = new Map<string, string>();
  for (const { TagKey: name, TagValue: value } of tags) {
    if (name.toLowerCase().startsWith("aws:"))
      throw new Refusal("TagException", "Tags beginning with aws: are reserved");
    if (added.has(name)) throw new Refusal("TagException", "Duplicate tag keys");
    added.set(name, value);
  }
  if (new Set([...existing.keys(), ...added.keys()]).size > maximumTags)
    throw new Refusal("TagException", "Too many tags");
  return added;
}
