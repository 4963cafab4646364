import { isPrincipalArn, principalExists } from "../../iam/principal.js";
import { Refusal } from "../../refusal.js";
import type { Input } from "../../shape.js";
import type { KmsCall } from "../call.js";
import { allowsConstraint, coversChild, type Grant, grantableOn, isNamed } from "../grant.js";
import type { inputShapes } from "../input-shapes.js";
import { type KmsKey, timestamp } from "../key.js";
import { checkState } from "../key-state.js";
import { page } from "../page.js";
import { resolveKeyOnly } from "../resolve.js";
import { contextEntries } from "./encrypt.js";
import { dryRunSucceeded } from "./sign.js";

type CreateGrantInput = Input<typeof inputShapes.CreateGrant>;

function checkPrincipal(arn: string, { place, directory }: KmsCall): void {
  if (isPrincipalArn(arn, place) && principalExists(arn, place, directory)) return;
  throw new Refusal("InvalidArnException", `ARN does not refer to a valid principal: ${arn}`);
}

const maximumPairs = 8;
const maximumValueLength = 384;

/** KMS API reference, `CreateGrant`, `Constraints`. */
function checkConstraint(
  { pairs }: NonNullable<Grant["constraint"]>,
  key: KmsKey,
  operations: Grant["operations"],
): void {
  if (pairs.size > maximumPairs) {
    throw new Refusal(
      "ValidationException",
      `A grant constraint can have up to ${maximumPairs} encryption context pairs, found ${pairs.size}.`,
    );
  }
  for (const value of pairs.values()) {
    if (value.length <= maximumValueLength) continue;
    throw new Refusal(
      "ValidationException",
      `An encryption context value of a grant constraint can have up to ${maximumValueLength} characters.`,
    );
  }
  const without = key.spec === "SYMMETRIC_DEFAULT" ? operations.filter((one) => !allowsConstraint(one)) : operations;
  if (without.length > 0) {
    throw new Refusal(
      "ValidationException",
      `An encryption context constraint is not supported for the grant operations ${without.join(", ")} on this key.`,
    );
  }
}

/** RetireGrant and RevokeGrant take a grant that is not there for one that was never made. */
function noSuchGrant(id: string): Refusal {
  return new Refusal("NotFoundException", `Grant ID ${id} not found`);
}

export function createGrantOperation(input: CreateGrantInput, call: KmsCall) {
  const key = resolveKeyOnly(call, "CreateGrant", input.KeyId);
  const { GranteePrincipal: grantee, RetiringPrincipal: retiring, Operations: operations, Constraints } = input;
  const constraint = constraintOf(Constraints);
  const named = (arn: string | undefined) => (arn === undefined ? undefined : [arn]);
  call.authorize(
    "CreateGrant",
    { kind: "key", key },
    {
      "kms:granteeprincipal": named(grantee),
      "kms:retiringprincipal": named(retiring),
      "kms:grantoperations": operations,
      "kms:grantconstrainttype":
        constraint === undefined
          ? undefined
          : [constraint.kind === "equals" ? "EncryptionContextEquals" : "EncryptionContextSubset"],
      "kms:grantisforawsresource": ["false"],
      ...(constraint && contextEntries(constraint.pairs)),
    },
    { covers: (parent) => coversChild(parent, { operations, constraint }) },
  );
  // Not built: a grant that is wider than it was asked for would be worse than none.
  const unbuilt = [input.GranteeServicePrincipal, input.RetiringServicePrincipal, Constraints?.SourceArn];
  if (unbuilt.some((member) => member !== undefined)) {
    throw new Refusal(
      "UnsupportedOperationException",
      "Service principals and SourceArn are not built in this emulator.",
    );
  }
  if (grantee === undefined) throw new Refusal("ValidationException", "A grant needs a GranteePrincipal.");
  if (operations.length === 0) throw new Refusal("ValidationException", "A grant needs an operation.");
  const foreign = operations.filter((operation) => !grantableOn(key.spec, key.usage).includes(operation));
  if (foreign.length > 0) {
    throw new Refusal("ValidationException", `The key does not support the grant operations ${foreign.join(", ")}.`);
  }
  if (operations.every((operation) => operation === "CreateGrant")) {
    throw new Refusal("ValidationException", "A grant of CreateGrant needs another operation that it lets be granted.");
  }
  if (Constraints?.EncryptionContextEquals !== undefined && Constraints.EncryptionContextSubset !== undefined) {
    throw new Refusal(
      "ValidationException",
      "A grant constraint is EncryptionContextEquals or EncryptionContextSubset, not both.",
    );
  }
  if (constraint !== undefined) checkConstraint(constraint, key, operations);
  checkPrincipal(grantee, call);
  if (retiring !== undefined) checkPrincipal(retiring, call);
  checkState(key, "grant");
  if (input.DryRun) throw dryRunSucceeded();
  const { Name: name } = input;
  const wanted = { name, grantee, retiring, operations, constraint };
  const twin = name === undefined ? undefined : [...key.grants.values()].find((grant) => isSame(grant, wanted));
  const grant: Grant = twin ?? {
    id: Buffer.from(call.random.bytes(32)).toString("hex"),
    token: Buffer.from(call.random.bytes(192)).toString("base64"),
    ...wanted,
    createdAt: call.now,
  };
  key.grants.set(grant.id, grant);
  return { GrantToken: grant.token, GrantId: grant.id };
}

function constraintOf(constraints: CreateGrantInput["Constraints"]): Grant["constraint"] {
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } = constraints ?? {};
  if (equals !== undefined) return { kind: "equals", pairs: equals };
  return subset === undefined ? undefined : { kind: "subset", pairs: subset };
}

/** A request with the Name and everything else of an earlier one makes no second grant. */
function isSame(grant: Grant, wanted: Omit<Grant, "id" | "token" | "createdAt">): boolean {
  const parts = ({ name, grantee, retiring, operations, constraint }: typeof wanted) =>
    JSON.stringify([name, grantee, retiring, [...operations].sort(), constraint?.kind, [...(constraint?.pairs ?? [])]]);
  return parts(grant) === parts(wanted);
}

export function listGrantsOperation(input: Input<typeof inputShapes.ListGrants>, call: KmsCall) {
  const key = resolveKeyOnly(call, "ListGrants", input.KeyId);
  call.authorize("ListGrants", { kind: "key", key });
  const wanted = [...key.grants.values()].filter(
    ({ id, grantee }) =>
      (input.GrantId === undefined || input.GrantId === id) &&
      (input.GranteePrincipal === undefined || input.GranteePrincipal === grantee),
  );
  const { items, tail } = page(wanted, Math.min(input.Limit ?? 50, 100), input.Marker, "grants");
  return { Grants: items.map((grant) => entryOf(grant, key)), ...tail };
}

function entryOf({ id, name, grantee, retiring, operations, constraint, createdAt }: Grant, key: KmsKey) {
  return {
    KeyId: key.arn,
    GrantId: id,
    Name: name ?? "",
    CreationDate: timestamp(createdAt),
    GranteePrincipal: grantee,
    ...(retiring !== undefined && { RetiringPrincipal: retiring }),
    IssuingAccount: `arn:${key.arn.split(":")[1]}:iam::${key.account}:root`,
    Operations: operations,
    ...(constraint !== undefined && {
      Constraints: {
        [constraint.kind === "equals" ? "EncryptionContextEquals" : "EncryptionContextSubset"]: Object.fromEntries(
          constraint.pairs,
        ),
      },
    }),
  };
}

export function revokeGrantOperation(input: Input<typeof inputShapes.RevokeGrant>, call: KmsCall): undefined {
  const key = resolveKeyOnly(call, "RevokeGrant", input.KeyId);
  call.authorize("RevokeGrant", { kind: "key", key });
  remove(key, input.GrantId, input.DryRun);
}

export function retireGrantOperation(input: Input<typeof inputShapes.RetireGrant>, call: KmsCall): undefined {
  const { key, id } = namedGrant(input, call);
  // The retiring principal needs no other permission; a grantee may be let retire the very grant it has.
  if (!isNamed(key.grants.get(id)?.retiring, call.caller)) {
    call.authorize("RetireGrant", { kind: "key", key }, {}, { covers: (grant) => grant.id === id });
  }
  remove(key, id, input.DryRun);
}

function namedGrant(
  { GrantToken: token, KeyId: keyId, GrantId: id }: Input<typeof inputShapes.RetireGrant>,
  call: KmsCall,
): { readonly key: KmsKey; readonly id: string } {
  if (token !== undefined) {
    for (const key of call.store.keys.values()) {
      const grant = [...key.grants.values()].find((known) => known.token === token);
      if (grant !== undefined) return { key, id: grant.id };
    }
    throw new Refusal("InvalidGrantTokenException", "Grant token is invalid.");
  }
  if (keyId === undefined || id === undefined) {
    throw new Refusal("ValidationException", "Either a grant token, or both key ID and grant ID must be specified.");
  }
  return { key: resolveKeyOnly(call, "RetireGrant", keyId), id };
}

function remove(key: KmsKey, id: string, dryRun: boolean | undefined): void {
  if (!key.grants.has(id)) throw noSuchGrant(id);
  if (dryRun) throw dryRunSucceeded();
  key.grants.delete(id);
}
