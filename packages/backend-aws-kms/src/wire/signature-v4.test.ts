import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { KMSClient } from "@aws-sdk/client-kms";
import { SignatureV4 as SdkSigner } from "@smithy/signature-v4";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalRequest, type RequestToSign } from "./canonical-request.js";
import { SignatureV4 } from "./signature-v4.js";

interface Case {
  readonly name: string;
  readonly context: {
    readonly credentials: { readonly access_key_id: string; readonly secret_access_key: string };
    readonly region: string;
    readonly service: string;
  };
  readonly canonicalRequest: string;
  readonly signedRequest: string;
}

const vectors = new URL("../../../../vectors/sigv4/header-signing.json", import.meta.url);
const cases = JSON.parse(readFileSync(vectors, "utf8")) as Case[];
const sha256 = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");

/** A request of the test suite as it was signed, and the header it was signed with. */
function readSigned(text: string): { request: RequestToSign; authorization: string; time: string } {
  const [head = "", body = ""] = text.split(/\n\n([\s\S]*)/);
  const [start = "", ...lines] = head.split("\n");
  const { method = "", target = "" } = /^(?<method>\S+) (?<target>.*) HTTP\/1\.1$/.exec(start)?.groups ?? {};
  const all: Record<string, string> = {};
  let last = "";
  for (const line of lines) {
    const [, name, value = ""] = /^([^\s:]+):(.*)$/.exec(line) ?? [];
    if (name === undefined) all[last] += `\n${line}`;
    else {
      last = name.toLowerCase();
      all[last] = all[last] === undefined ? value : `${all[last]},${value}`;
    }
  }
  const { authorization = "" } = all;
  const signed = /SignedHeaders=([^,]*),/.exec(authorization)?.[1]?.split(";") ?? [];
  const headers = Object.fromEntries(signed.map((name) => [name, all[name] ?? ""]));
  const [path = "", search = ""] = target.split(/\?(.*)/);
  const query: Record<string, string[]> = {};
  for (const pair of search.split("&").filter((text) => text !== "")) {
    const [name = "", value = ""] = pair.split(/=(.*)/).map(decodeURIComponent);
    query[name] = [...(query[name] ?? []), value];
  }
  return {
    request: { method, path, query, headers, bodyHash: sha256(body) },
    authorization,
    time: all["x-amz-date"] ?? "",
  };
}

describe("SignatureV4", () => {
  it.for(cases.map((one) => [one.name, one] as const))("signs %s as AWS's test suite does", ([, one]) => {
    const { credentials, region, service } = one.context;
    const { request, authorization, time } = readSigned(one.signedRequest);
    expect(canonicalRequest(request).text).toBe(one.canonicalRequest);
    const { access_key_id: accessKeyId, secret_access_key: secretAccessKey } = credentials;
    const signer = new SignatureV4(region, service);
    expect(signer.authorization(request, { accessKeyId, secretAccessKey }, time)).toBe(authorization);
  });

  const text = fc.string({ unit: "grapheme" }).map((value) => value.toWellFormed());
  const word = fc.stringMatching(/^[A-Za-z0-9/+=]{1,40}$/);
  const headerName = fc.stringMatching(/^x-[a-z0-9-]{1,12}$/).filter((name) => !/^x-am/.test(name));

  // The SDK's signer leaves a parameter of this name out of what it signs, and sends it.
  const parameter = text.filter((name) => name !== "__proto__");

  it("gives the Authorization header of the SDK's signer, whatever is signed", async () => {
    const { sha256: checksum } = new KMSClient({ region: "us-east-1" }).config;
    const kept = new SignatureV4("eu-central-1", "kms");
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          path: fc.array(text).map((parts) => `/${parts.join("/")}`),
          query: fc.dictionary(parameter, fc.oneof(text, fc.array(text)), { noNullPrototype: true }),
          headers: fc.dictionary(headerName, text, { noNullPrototype: true }),
          body: fc.uint8Array(),
          credentials: fc.record({ accessKeyId: word, secretAccessKey: text }),
          sessionToken: fc.option(text, { nil: undefined }),
          date: fc.date({ min: new Date(0), max: new Date("2099-01-01"), noInvalidDate: true }),
        }),
        async ({ path, query, headers, body, credentials, sessionToken, date }) => {
          const sdk = new SdkSigner({
            service: "kms",
            region: "eu-central-1",
            credentials: { ...credentials, ...(sessionToken !== undefined && { sessionToken }) },
            sha256: checksum,
            applyChecksum: false,
          });
          const request = { method: "POST", protocol: "https:", hostname: "h", path, query, body };
          const signed = await sdk.sign({ ...request, headers: { ...headers, host: "h" } }, { signingDate: date });
          const { authorization, ...toSign } = signed.headers as Record<string, string>;
          const ours = kept.authorization(
            { method: "POST", path, query, headers: toSign, bodyHash: sha256(body) },
            credentials,
            toSign["x-amz-date"] ?? "",
          );
          expect(ours).toBe(authorization);
        },
      ),
    );
  });
});
