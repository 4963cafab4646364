import { type KmsEmulator, startKmsEmulator } from "@basil/aws-kms-emulator";
import { awsKmsPermissions, checkAwsKms } from "@basil/backend-aws-kms";
import { keyRef } from "@basil/core";
import { decide } from "@basil/policy";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { comparePolicies } from "../../packages/cli/src/iam/compare-policies.ts";
import type { IamDocument } from "../../packages/cli/src/iam/iam-document.ts";
import { parsePolicyText } from "../../packages/cli/src/iam/read-policy.ts";
import { leastRuntimePolicy, neededActions } from "../../packages/cli/src/iam/runtime-policy.ts";
import { deploymentOf } from "../../packages/cli/src/iam/wanted-deployment.ts";
import { arnsOfAll, build, world } from "./iam-world.ts";

const RUNTIME = awsKmsPermissions.runtime.map(({ action }) => action as string);
const read = (document: unknown) =>
  parsePolicyText(new TextEncoder().encode(JSON.stringify(document)), "policy.json", "policy");

let emulator: KmsEmulator;
beforeAll(async () => {
  emulator = await startKmsEmulator();
});
afterAll(() => emulator.close());

interface Grant {
  readonly action: string;
  readonly resource: string;
}

function grantsOf({ Statement }: IamDocument): Grant[] {
  return Statement.flatMap(({ Action, Resource = [] }) =>
    [Action].flat().flatMap((action) => [Resource].flat().map((resource) => ({ action, resource }))),
  );
}

const documentOf = (grants: readonly Grant[]) => ({
  Version: "2012-10-17",
  Statement: grants.map(({ action, resource }) => ({ Effect: "Allow", Action: action, Resource: resource })),
});

describe("iam diff and doctor --live, on keys that may have been rotated", { timeout: 60_000 }, () => {
  it("find nothing in the document that iam policy writes, and name any one permission that is taken out or added", () =>
    fc.assert(
      fc.asyncProperty(
        world(["alias", "other alias", "logical", "arn"], 3).filter(({ rules }) => rules.length > 0),
        fc.nat(),
        fc.nat(),
        async (made, at, toAdd) => {
          const built = await build(emulator, made);
          const { catalog, policy, use, options } = built;
          const { graceVersions } = made;
          const pairs = await arnsOfAll(built);
          const document = await leastRuntimePolicy(RUNTIME, pairs, catalog, policy, graceVersions);
          const entries = pairs.map(({ key }) => key);
          const deployment = await deploymentOf({ document, entries, keys: pairs });
          const keys = entries.map((entry) => {
            const { inUse, onOthers } = neededActions(entry, catalog, policy, decide);
            return { key: keyRef(entry), needs: [...inUse], versionNeeds: [...onOthers] };
          });
          const judged = async (grants: readonly Grant[]) => {
            use(documentOf(grants));
            const { signal } = new AbortController();
            const grace = graceVersions === undefined ? {} : { graceVersions };
            const { findings } = await checkAwsKms({ ...options, ...grace }, keys, { signal });
            return { findings, difference: comparePolicies(read(document), read(documentOf(grants)), deployment) };
          };
          const grants = grantsOf(document);
          const whole = await judged(grants);
          expect(whole.findings).toEqual([]);
          expect(whole.difference).toMatchObject({ equal: true, lacking: [], excess: [], unjudged: [] });

          const versions = built.keys.flatMap(({ entry: { name }, arns, current }) =>
            arns.map((arn, index) => ({ name, arn, version: index + 1 === current ? undefined : index + 1 })),
          );
          const subjectOf = ({ resource }: Grant) => {
            const { name, version } = versions.find(({ arn }) => arn === resource) ?? {};
            return { key: name, ...(version !== undefined && { version }) };
          };
          const taken = grants[at % grants.length];
          if (taken === undefined) throw new Error("no grant");
          const { action, resource } = taken;
          const less = await judged(grants.filter((grant) => grant !== taken));
          expect(less.findings).toMatchObject([{ code: "denied", action, resource, ...subjectOf(taken) }]);
          expect(less.difference.lacking).toMatchObject([{ actions: [action], resource, ...subjectOf(taken) }]);
          expect(less.difference).toMatchObject({ excess: [], unjudged: [] });

          const isCipher = (arn: string) =>
            emulator.keys.list().find((key) => key.arn === arn)?.spec === "SYMMETRIC_DEFAULT";
          const all = versions.flatMap(({ arn }) =>
            (isCipher(arn) ? ["kms:Encrypt", "kms:Decrypt"] : ["kms:Sign", "kms:Verify", "kms:GetPublicKey"]).map(
              (action): Grant => ({ action, resource: arn }),
            ),
          );
          const missing = all.filter(
            (one) => !grants.some((g) => g.action === one.action && g.resource === one.resource),
          );
          const added = missing[toAdd % Math.max(missing.length, 1)];
          if (added === undefined) return;
          const more = await judged([...grants, added]);
          expect(more.findings).toMatchObject([{ code: "excess", ...added, ...subjectOf(added) }]);
          expect(more.difference.excess).toMatchObject([
            { actions: [added.action], resource: added.resource, ...subjectOf(added) },
          ]);
          expect(more.difference).toMatchObject({ lacking: [], unjudged: [] });
        },
      ),
      { numRuns: 10 },
    ));
});
