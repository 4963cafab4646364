import type { Operation } from "@basil/policy";
import type { Call } from "../request/call.js";

/**
 * A method whose backends do not exist: the caller is authorized first, so that an answer tells nobody more than a method
 * that does its work.
 */
export function unsupported<Field extends "keyId" | "issuerKeyId">(operation: Operation, field: Field) {
  return async (request: Readonly<Record<Field, string>>, call: Call): Promise<never> => {
    call.authorize(operation, request[field]);
    throw notOffered(call);
  };
}

/** The same for an operation that needs a local process. */
export function unsupportedLocally<Field extends "keyId">(operation: Operation, field: Field) {
  return async (request: Readonly<Record<Field, string>>, call: Call): Promise<never> => {
    call.authorize(operation, request[field]);
    call.requireUid(operation);
    throw notOffered(call);
  };
}

/** A method whose caller proves itself in the message. */
export async function unsupportedForAll(_: unknown, call: Call): Promise<never> {
  throw notOffered(call);
}

/** A method that needs a caller the policy knows, and no more. */
export async function unsupportedForSubjects(_: unknown, call: Call): Promise<never> {
  if (!call.resolution.resolved) throw call.fail("UNAUTHENTICATED", "missing or unresolved peer credentials");
  throw notOffered(call);
}

export function notOffered(call: Call) {
  return call.fail("UNSUPPORTED", "this broker does not offer the operation");
}
