import { ReloadRejectionSchema, type ReloadRequest, type ReloadResponse, ReloadResponseSchema } from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import type { Call } from "../request/call.js";

/** A candidate that is refused is an answer too. */
export async function reload({ check }: ReloadRequest, call: Call): Promise<ReloadResponse> {
  // A caller the policy knows is told what is wrong with its connection before what it may not do.
  const uid = call.resolution.resolved ? call.requireUid() : undefined;
  call.authorizeAdmin("reload");
  const result = await call.services.reload({ check, actor: { kind: "unix_uid", id: String(uid) } });
  const { applied, checked, keyCount, grantCount, rejection } = result;
  return create(ReloadResponseSchema, {
    applied,
    checked,
    previousGeneration: BigInt(result.previousGeneration),
    newGeneration: BigInt(result.newGeneration),
    keyCount,
    grantCount,
    ...(rejection && { rejection: create(ReloadRejectionSchema, rejection) }),
  });
}
