import type { Catalog } from "@basil/catalog";
import { parseCatalog } from "@basil/catalog";
import { describe, expect, it } from "vitest";
import { kmsRegion } from "./kms-region.js";

const arn = (region: string) => `arn:aws:kms:${region}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab`;

function catalogOf(paths: readonly string[], addr = "aws-kms:us-east-1"): Catalog {
  const key = (path: string, backend = "kms") => ({
    class: "asymmetric",
    keyType: "ecdsa-p256",
    backend,
    engine: "transit",
    path,
    writable: false,
    missing: "error",
    description: "a key",
  });
  const backend = (addr: string) => ({ kind: "aws-kms", addr, engines: ["transit"] });
  return parseCatalog(
    JSON.stringify({
      schemaVersion: 1,
      backends: { kms: backend(addr), other: backend("") },
      keys: {
        ...Object.fromEntries(paths.map((path, at) => [`k.${"abc"[at]}`, key(path)])),
        "k.other": key(arn("ap-south-1"), "other"),
      },
    }),
  );
}

const settings = { bundle: "/etc/basil/creds.sealed" };

describe("kmsRegion", () => {
  const catalog = catalogOf(["alias/a", arn("eu-west-1")]);

  it("takes the flag, then AWS_REGION, then the region of the ARNs of this backend", () => {
    const env = { AWS_REGION: "us-west-2" };
    expect(kmsRegion("kms", { flag: "us-east-2", env, catalog, settings })).toBe("us-east-2");
    expect(kmsRegion("kms", { env, catalog, settings })).toBe("us-west-2");
    expect(kmsRegion("kms", { env: { AWS_REGION: "" }, catalog, settings })).toBe("eu-west-1");
    expect(kmsRegion("other", { env: {}, catalog, settings })).toBe("ap-south-1");
  });

  it.for([
    [
      "names the bundle that holds it, and offers the label of the catalog",
      catalogOf(["alias/a"]),
      settings,
      'the region of backend "kms" is not known: the agent has it from the sealed bundle /etc/basil/creds.sealed, which is not opened here',
      "give --region us-east-1 if the catalog's label aws-kms:us-east-1 is right, or set AWS_REGION",
    ],
    [
      "says what is missing when no bundle is named, and offers no label that is none",
      catalogOf(["alias/a"], "production"),
      {},
      'the region of backend "kms" is not known: neither --region nor AWS_REGION is given',
      "give --region REGION, or set AWS_REGION",
    ],
    [
      "does not choose between the ARNs of two regions",
      catalogOf([arn("eu-west-1"), arn("us-gov-west-1"), "alias/a"], ""),
      settings,
      'the region of backend "kms" is not known: the catalog\'s ARNs name eu-west-1 and us-gov-west-1',
      "give --region REGION, or set AWS_REGION",
    ],
  ] as const)("%s", ([, catalog, settings, message, remedy]) => {
    expect(() => kmsRegion("kms", { env: {}, catalog, settings })).toThrow(
      expect.objectContaining({ code: "USAGE", message, remedy }),
    );
  });
});
