import { type RandomSource, secretText, uniqueId } from "../random.js";
import type { RootKeyRecord, SessionRecord, UserKeyRecord } from "./directory.js";
import type { PolicyDocument } from "./policy-document.js";

interface Given {
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
}

function longLived(random: RandomSource, now: number, given: Given) {
  return {
    accessKeyId: given.accessKeyId ?? uniqueId(random, "AKIA"),
    secretAccessKey: given.secretAccessKey ?? secretText(random),
    createdAt: now,
    sessionToken: undefined,
    expiresAt: undefined,
  };
}

export function newRootKey(random: RandomSource, now: number, given: Given = {}): RootKeyRecord {
  return { kind: "root", ...longLived(random, now, given) };
}

export function newUserKey(random: RandomSource, userName: string, now: number, given: Given = {}): UserKeyRecord {
  return { kind: "user", userName, ...longLived(random, now, given) };
}

export interface SessionOptions {
  readonly roleName: string;
  readonly sessionName: string;
  readonly seconds: number;
  readonly sessionPolicy?: PolicyDocument | undefined;
  readonly federatedProvider?: string | undefined;
}

export function newSession(random: RandomSource, now: number, options: SessionOptions): SessionRecord {
  return {
    kind: "session",
    accessKeyId: uniqueId(random, "ASIA"),
    secretAccessKey: secretText(random),
    sessionToken: secretText(random, 200),
    createdAt: now,
    expiresAt: now + options.seconds * 1000,
    roleName: options.roleName,
    sessionName: options.sessionName,
    sessionPolicy: options.sessionPolicy,
    federatedProvider: options.federatedProvider,
  };
}
