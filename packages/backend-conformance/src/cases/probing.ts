import { KEY_TYPES, type KeyProbe, type KeyType } from "@basil/core";
import type { Rule } from "../conformance-case.js";
import { must, mustRefuse } from "../must.js";
import type { Subject } from "../subject.js";

const group = "probe";

export const probingRules: readonly Rule[] = KEY_TYPES.flatMap((keyType) => [
  rule(keyType, "absent and present are told apart, from metadata alone, and nothing changes", metadata),
  rule(keyType, "a key of another type is unusable, and no operation takes it", otherType),
]);

function rule(keyType: KeyType, name: string, check: (subject: Subject, keyType: KeyType) => Promise<void>): Rule {
  return {
    group,
    name: `${keyType}: ${name}`,
    check: async (subject) => {
      if (subject.backend.capabilities.keyTypes[keyType] !== undefined) return check(subject, keyType);
      const call = subject.backend.probe(subject.absentKey(keyType), subject.context());
      await mustRefuse(`probe of ${keyType}, which is not claimed`, call, "UNSUPPORTED", "UNSUPPORTED_ALGORITHM");
    },
  };
}

async function metadata(subject: Subject, keyType: KeyType): Promise<void> {
  const absent = subject.absentKey(keyType);
  for (let i = 0; i < 2; i++) {
    const probe = await subject.backend.probe(absent, subject.context());
    must(probe.state === "absent", `probe of a ${keyType} key nobody made: absent expected, found ${probe.state}`);
    mustBeMetadata(probe, keyType);
  }
  const probe = await subject.backend.probe(await subject.key(keyType), subject.context());
  must(probe.state === "present", `probe of a ${keyType} key that is there: present expected, found ${probe.state}`);
  must(Number.isSafeInteger(probe.latestVersion) && probe.latestVersion >= 1, `probe of ${keyType}: latestVersion`);
  must(typeof probe.resource === "string" && probe.resource !== "", `probe of ${keyType}: resource must name the key`);
  const same = probe.keyType === undefined || plain(probe.keyType) === plain(keyType);
  must(same, `probe of ${keyType}: says that it is a ${probe.keyType} key`);
  mustBeMetadata(probe, keyType);
}

/** An NKey is held as the Ed25519 key it is. */
function plain(keyType: KeyType): KeyType {
  return keyType === "ed25519-nkey" ? "ed25519" : keyType;
}

const MEMBERS = ["state", "latestVersion", "resource", "keyType", "reason"];

function mustBeMetadata(probe: KeyProbe, keyType: KeyType): void {
  for (const [member, value] of Object.entries(probe)) {
    must(MEMBERS.includes(member), `probe of ${keyType}: "${member}" is no member of a probe`);
    must(
      typeof value === "string" || typeof value === "number",
      `probe of ${keyType}: ${member} is not plain metadata`,
    );
  }
}

async function otherType(subject: Subject, keyType: KeyType): Promise<void> {
  const others = KEY_TYPES.filter(
    (other) => plain(other) !== plain(keyType) && subject.backend.capabilities.keyTypes[other] !== undefined,
  );
  const key = await subject.key(keyType);
  for (const other of others) {
    const asked = { ...key, keyType: other };
    const probe = await subject.backend.probe(asked, subject.context());
    must(probe.state === "unusable", `probe of a ${keyType} key as ${other}: unusable expected, found ${probe.state}`);
    must(probe.reason !== "", `probe of a ${keyType} key as ${other}: reason must say why`);
    mustBeMetadata(probe, other);
    const codes = ["KEY_UNUSABLE", "REJECTED"] as const;
    if (subject.claims(other, "sign")) {
      const call = subject.transit.sign(asked, subject.message(other), subject.context());
      await mustRefuse(`sign with a ${keyType} key as ${other}`, call, ...codes);
    }
    if (subject.claims(other, "encrypt")) {
      const call = subject.transit.encrypt(asked, subject.plaintext(other), undefined, subject.context());
      await mustRefuse(`encrypt with a ${keyType} key as ${other}`, call, ...codes);
    }
  }
}
