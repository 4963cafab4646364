import { describe, expect, it } from "vitest";
import type { Identity } from "./identity.js";
import { parsePolicy } from "./parse-policy.js";
import { resolveSubject } from "./resolve-subject.js";

const unix = (uid: number, gid: number | null = null, groups: number[] | null = null): Identity => ({
  kind: "unix",
  uid,
  gid,
  groups,
  pid: null,
});
const nobody: Identity = { kind: "unauthenticated" };
const uid = (value: number) => ({ kind: "unix", uid: value });
const gid = (value: number) => ({ kind: "unix", gid: value });
const signer = { kind: "signature-key", algorithm: "ed25519", public: "Eiu3CxrlQDugtOjSn4tG2w6D3UItrKUnEj9mrmtKpDM" };
const guest = { kind: "unauthenticated" };

function who(document: object, identity: Identity): string {
  const resolution = resolveSubject(parsePolicy(JSON.stringify(document)), identity);
  if (resolution.resolved) return resolution.proof;
  return [resolution.code, resolution.reason, ...resolution.candidates].join(" ");
}

describe("resolveSubject", () => {
  it("is the one subject that matches the uid (§2.4)", () => {
    const document = { subjects: { a: { allOf: [uid(1)] }, b: { anyOf: [uid(2), uid(3)] } } };
    expect([1, 2, 3].map((id) => who(document, unix(id)))).toEqual([
      "unix_peercred:a",
      "unix_peercred:b",
      "unix_peercred:b",
    ]);
  });

  it("refuses a uid that no subject matches, naming it (§2.4, §2.12)", () => {
    expect(who({ subjects: { a: { allOf: [uid(1)] } } }, unix(9))).toBe("no_subject no_actor_subject:9");
    expect(who({}, unix(0))).toBe("no_subject no_actor_subject:0");
  });

  it("refuses a uid that several subjects match, naming them (§2.4, §2.12)", () => {
    const document = { subjects: { b: { allOf: [uid(1)] }, a: { anyOf: [uid(2), uid(1)] } } };
    expect(who(document, unix(1))).toBe("ambiguous_subject ambiguous_actor_subject:1 a b");
  });

  it("locks out a uid that its own and a group's subject match (§2.4)", () => {
    const subjects = { own: { allOf: [uid(1)] }, group: { allOf: [gid(50)] } };
    const document = { subjects, config: { memberships: { 1: [50], 2: [50] } } };
    expect(who(document, unix(1))).toBe("ambiguous_subject ambiguous_actor_subject:1 group own");
    expect(who(document, unix(2))).toBe("unix_peercred:group");
  });

  it("needs every principal of an allOf and every part of a principal (§2.3, §2.4)", () => {
    const config = { memberships: { 1: [50], 2: [] } };
    for (const allOf of [[uid(1), gid(50)], [{ kind: "unix", uid: 1, gid: 50 }]]) {
      expect(who({ subjects: { a: { allOf } }, config }, unix(1))).toBe("unix_peercred:a");
      expect(who({ subjects: { a: { allOf } }, config }, unix(2))).toBe("no_subject no_actor_subject:2");
    }
    expect(who({ subjects: { a: { allOf: [uid(1), gid(51)] } }, config }, unix(1))).toBe(
      "no_subject no_actor_subject:1",
    );
    expect(who({ subjects: { a: { allOf: [uid(1), uid(2)] } } }, unix(1))).toBe("no_subject no_actor_subject:1");
  });

  it("takes groups from memberships, never the kernel's, where the document has the table (§2.3)", () => {
    const subjects = { a: { allOf: [gid(50)] } };
    expect(who({ subjects, config: { memberships: { 7: [50] } } }, unix(7))).toBe("unix_peercred:a");
    expect(who({ subjects, config: { memberships: { 7: [] } } }, unix(7, 50, [50]))).toBe(
      "no_subject no_actor_subject:7",
    );
    expect(who({ subjects, config: { memberships: {} } }, unix(7, 50, [50]))).toBe("no_subject no_actor_subject:7");
  });

  it("takes the kernel's groups where the document has no memberships at all, and guesses none", () => {
    const subjects = { a: { allOf: [gid(50)] } };
    expect(who({ subjects }, unix(7, 50, []))).toBe("unix_peercred:a");
    expect(who({ subjects }, unix(7, 7, [1, 50]))).toBe("unix_peercred:a");
    expect(who({ subjects, config: { names: {} } }, unix(7, null, [50]))).toBe("unix_peercred:a");
    expect(who({ subjects }, unix(7, 7, null))).toBe("no_subject no_actor_subject:7");
    expect(who({ subjects }, unix(7, null, null))).toBe("no_subject no_actor_subject:7");
  });

  it("matches a caller without credentials only by the named subject (§2.4)", () => {
    const document = { unauthenticatedSubject: "g", subjects: { g: { anyOf: [guest] }, a: { allOf: [uid(1)] } } };
    expect(who(document, nobody)).toBe("unauthenticated:g");
    expect(who({ subjects: { a: { allOf: [uid(1)] } } }, nobody)).toBe("missing_credentials no_actor_subject");
  });

  it("never falls back from an unknown uid to the unauthenticated subject (§2.4)", () => {
    const document = { unauthenticatedSubject: "g", subjects: { g: { anyOf: [guest] } } };
    expect(who(document, unix(9))).toBe("no_subject no_actor_subject:9");
  });

  it("refuses a named subject that does not match a caller without credentials (§2.4)", () => {
    const refused = "invalid_unauthenticated_subject invalid_unauthenticated_subject:g";
    for (const g of [{ allOf: [uid(1)] }, { allOf: [guest, uid(1)] }, { anyOf: [uid(1)] }]) {
      expect(who({ unauthenticatedSubject: "g", subjects: { g } }, nobody)).toBe(refused);
    }
    expect(who({ unauthenticatedSubject: "g", subjects: { g: { anyOf: [uid(1), guest] } } }, nobody)).toBe(
      "unauthenticated:g",
    );
    expect(who({ unauthenticatedSubject: "g", subjects: { g: { allOf: [guest, guest] } } }, nobody)).toBe(
      "unauthenticated:g",
    );
  });

  it("never matches a local caller by a signature key, and by unix beside one only under anyOf (§2.4)", () => {
    expect(who({ subjects: { a: { anyOf: [signer] } } }, unix(1))).toBe("no_subject no_actor_subject:1");
    expect(who({ subjects: { a: { allOf: [uid(1), signer] } } }, unix(1))).toBe("no_subject no_actor_subject:1");
    expect(who({ subjects: { a: { anyOf: [uid(1), signer] } } }, unix(1))).toBe("unix_peercred:a");
  });
});
