import type { Input } from "../../shape.js";
import type { KmsCall } from "../call.js";
import type { inputShapes } from "../input-shapes.js";
import { checkState } from "../key-state.js";
import { page } from "../page.js";
import { resolveKeyOnly } from "../resolve.js";
import { tagsFromRequest } from "../tags.js";

export function tagResourceOperation(input: Input<typeof inputShapes.TagResource>, call: KmsCall): undefined {
  const key = resolveKeyOnly(call, "TagResource", input.KeyId);
  const entries: Record<string, readonly string[] | undefined> = { "aws:tagkeys": input.Tags.map((tag) => tag.TagKey) };
  for (const tag of input.Tags) entries[`aws:requesttag/${tag.TagKey.toLowerCase()}`] = [tag.TagValue];
  call.authorize("TagResource", { kind: "key", key }, entries);
  checkState(key, "tag");
  for (const [name, value] of tagsFromRequest(input.Tags, key.tags)) key.tags.set(name, value);
}

export function untagResourceOperation(input: Input<typeof inputShapes.UntagResource>, call: KmsCall): undefined {
  const key = resolveKeyOnly(call, "UntagResource", input.KeyId);
  call.authorize("UntagResource", { kind: "key", key }, { "aws:tagkeys": input.TagKeys });
  checkState(key, "tag");
  for (const name of input.TagKeys) key.tags.delete(name);
}

export function listResourceTagsOperation(input: Input<typeof inputShapes.ListResourceTags>, call: KmsCall) {
  const key = resolveKeyOnly(call, "ListResourceTags", input.KeyId);
  call.authorize("ListResourceTags", { kind: "key", key });
  const { items, tail } = page([...key.tags], Math.min(input.Limit ?? 50, 50), input.Marker, "tags");
  return { Tags: items.map(([TagKey, TagValue]) => ({ TagKey, TagValue })), ...tail };
}
