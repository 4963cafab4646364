import type { KeyEntry } from "@basil/catalog";
import { type IamDocument, iamDocument } from "./iam-document.js";
import { type KmsPlace, kmsArn } from "./kms-place.js";
import { aliasPatterns } from "./runtime-policy.js";

/** Creates keys and aliases; the form of the documentation, widened by aliases outside `alias/basil/`. */
export function provisionerPolicy(keys: readonly KeyEntry[], place: KmsPlace): IamDocument {
  return iamDocument(
    { Sid: "BasilCreateKeys", Effect: "Allow", Action: "kms:CreateKey", Resource: "*" },
    { Sid: "BasilCreateAliases", Effect: "Allow", Action: "kms:CreateAlias", Resource: aliasesAndKeys(keys, place) },
    {
      Sid: "BasilReadAndProbeKeys",
      Effect: "Allow",
      Action: ["kms:GetPublicKey", "kms:DescribeKey"],
      Resource: kmsArn(place, "key/*"),
    },
  );
}

/** Makes a new key, proves it, and moves the alias. */
export function rotatorPolicy(keys: readonly KeyEntry[], place: KmsPlace): IamDocument {
  const proofs = [
    ...(keys.some((key) => key.class !== "symmetric") ? ["kms:Sign", "kms:Verify"] : []),
    ...(keys.some((key) => key.class === "symmetric") ? ["kms:Encrypt", "kms:Decrypt"] : []),
  ];
  return iamDocument(
    { Sid: "BasilCreateKeys", Effect: "Allow", Action: "kms:CreateKey", Resource: "*" },
    {
      Sid: "BasilMoveAliases",
      Effect: "Allow",
      Action: ["kms:CreateAlias", "kms:UpdateAlias"],
      Resource: aliasesAndKeys(keys, place, "and versions"),
    },
    {
      Sid: "BasilProveKeys",
      Effect: "Allow",
      Action: ["kms:DescribeKey", ...proofs],
      Resource: kmsArn(place, "key/*"),
    },
  );
}

/** An alias action needs both the alias and the key it leads to. A key without an alias of its own has the generated one. */
function aliasesAndKeys(keys: readonly KeyEntry[], place: KmsPlace, versions?: "and versions"): string[] {
  const patterns = new Set(["alias/basil/*", ...aliasPatterns(keys, versions)]);
  return [...[...patterns].map((alias) => kmsArn(place, alias)), kmsArn(place, "key/*")];
}
