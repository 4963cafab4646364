import { jsonPointer, type RefusalList } from "@basil/catalog";
import type { PolicyRefusalCode } from "./errors.js";
import type { Principal, Subject } from "./policy.js";
import type { PrincipalShape, SubjectShape } from "./policy-schema.js";
import { decodeSignaturePublic } from "./signature-key.js";

type Refusals = Pick<RefusalList<PolicyRefusalCode>, "add">;

/** The trimmed name, or undefined when it is no name. */
export function checkSubjectName(written: string, pointer: string, refusals: Refusals): string | undefined {
  const name = written.trim();
  const allowed = "a name that is not blank and holds no control character";
  if (name === "") {
    refusals.add({ code: "EmptySubjectName", pointer, problem: "a blank subject name", found: written, allowed });
    return undefined;
  }
  if (/\p{Cc}/u.test(name)) {
    refusals.add({ code: "BadSubjectName", pointer, problem: "not a subject name", found: written, allowed });
    return undefined;
  }
  return name;
}

/** @param mayBeUnauthenticated - True for the subject that `unauthenticatedSubject` names. */
export function checkSubject(
  name: string,
  { members, wrong }: { readonly members: Partial<SubjectShape>; readonly wrong: ReadonlySet<string> },
  pointer: string,
  mayBeUnauthenticated: boolean,
  refusals: Refusals,
): Subject | undefined {
  if (wrong.has("allOf") || wrong.has("anyOf")) return undefined;
  const { allOf, anyOf, breakGlass = false } = members;
  if ((allOf == null) === (anyOf == null)) {
    refusals.add({
      code: "InvalidSubjectShape",
      pointer,
      problem: allOf == null ? "neither allOf nor anyOf" : "both allOf and anyOf",
      found: allOf == null ? undefined : "allOf, anyOf",
      allowed: "exactly one of allOf and anyOf",
    });
    return undefined;
  }
  const match = allOf == null ? "anyOf" : "allOf";
  const shapes = (allOf ?? anyOf)!;
  const at = jsonPointer(pointer, match);
  if (shapes.length === 0) {
    const problem = "a subject without principals";
    refusals.add({ code: "EmptySubjectMatch", pointer: at, problem, found: shapes, allowed: "at least one principal" });
    return undefined;
  }
  const principals = shapes.map((shape, index) =>
    checkPrincipal(shape, jsonPointer(at, index), mayBeUnauthenticated, refusals),
  );
  return { name, breakGlass, match, principals: principals.filter((principal) => principal !== undefined) };
}

function checkPrincipal(
  shape: PrincipalShape,
  pointer: string,
  mayBeUnauthenticated: boolean,
  refusals: Refusals,
): Principal | undefined {
  if (shape.kind === "unix") {
    const { uid, gid } = shape;
    if (uid == null && gid == null) {
      const problem = "a unix principal that says nothing";
      refusals.add({ code: "EmptyUnixPrincipal", pointer, problem, found: undefined, allowed: "uid, gid or both" });
    }
    return { kind: "unix", ...(uid == null ? {} : { uid }), ...(gid == null ? {} : { gid }) };
  }
  if (shape.kind === "unauthenticated") {
    if (!mayBeUnauthenticated) {
      refusals.add({
        code: "InvalidUnauthenticatedPrincipal",
        pointer,
        problem: "a principal of a subject that unauthenticatedSubject does not name",
        found: shape.kind,
        allowed: "unix, signature-key",
      });
    }
    return shape;
  }
  return checkSignatureKey(shape, jsonPointer(pointer, "public"), refusals);
}

function checkSignatureKey(
  shape: Extract<PrincipalShape, { kind: "signature-key" }>,
  pointer: string,
  refusals: Refusals,
): Principal | undefined {
  const allowed =
    shape.algorithm === "ed25519"
      ? "32 bytes as base64url without padding, 43 characters"
      : "a public NKey: 56 characters of base32 with a valid checksum";
  if (shape.public.trim() === "") {
    refusals.add({
      code: "EmptySignaturePublic",
      pointer,
      problem: "a blank public key",
      found: shape.public,
      allowed,
    });
    return undefined;
  }
  const publicKey = decodeSignaturePublic(shape.algorithm, shape.public);
  if (publicKey !== undefined) return { ...shape, publicKey };
  const problem = `not a public key of algorithm ${shape.algorithm}`;
  refusals.add({ code: "MalformedSignaturePublic", pointer, problem, found: shape.public, allowed });
  return undefined;
}
