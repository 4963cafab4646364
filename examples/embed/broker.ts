import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { awsKms } from "@basil/backend-aws-kms";
import { type Broker, createBroker, openAuditFile } from "@basil/broker";
import { parseCatalog } from "@basil/catalog";
import { parsePolicy } from "@basil/policy";

const document = (name: string) => readFile(join(import.meta.dirname, name));

/** The broker of this process: it fails here, before anything is served, when the key is not as the catalog says. */
export async function startBroker(auditLog: string): Promise<Broker> {
  return createBroker({
    catalog: parseCatalog(await document("catalog.json")),
    policy: parsePolicy(await document("policy.json")),
    // Credentials come from the AWS SDK's chain: environment, profile, web identity, instance role.
    backends: [awsKms({ id: "kms", region: "us-east-1" })],
    audit: await openAuditFile(auditLog),
  });
}

/** A part of the program, as the policy knows it: the program vouches for it, where a socket would ask the kernel. */
export const part = (uid: number) => ({ kind: "unix", uid, gid: null, groups: null, pid: process.pid }) as const;
