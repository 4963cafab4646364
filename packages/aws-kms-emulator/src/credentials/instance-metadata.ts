import type { CallNote } from "../call-record.js";
import { textResponse, type WireRequest, type WireResponse } from "../http/wire.js";
import type { RoleRecord } from "../iam/directory.js";
import { checkMembers } from "../option-members.js";
import { secretText } from "../random.js";
import { trustsService } from "./service-session.js";
import { type CredentialSource, isoSeconds, jsonDocument, type SourceParts } from "./source.js";

export interface InstanceMetadataOptions {
  /** Its role is looked up at each request, so it may be created later. */
  readonly instanceProfile: string;
  /** Default `i-0123456789abcdef0`. */
  readonly instanceId?: string;
}

const credentialsPath = "/latest/meta-data/iam/security-credentials";
const longestTokenSeconds = 21_600;

/** The instance metadata service of EC2, version 2 only (EC2 User Guide, "Use IMDS"). */
export function instanceMetadata(options: InstanceMetadataOptions, parts: SourceParts): CredentialSource {
  checkMembers(options, { instanceProfile: true, instanceId: true }, "instanceMetadata");
  const { instanceProfile, instanceId = "i-0123456789abcdef0" } = options;
  const tokens = new Map<string, number>();

  function issueToken(request: WireRequest): WireResponse {
    const ttl = request.headers.get("x-aws-ec2-metadata-token-ttl-seconds") ?? "";
    const seconds = /^\d{1,5}$/.test(ttl) ? Number(ttl) : 0;
    if (request.method !== "PUT" || seconds < 1 || seconds > longestTokenSeconds)
      return textResponse(400, "text/plain", "");
    const token = secretText(parts.random, 56);
    tokens.set(token, parts.now() + seconds * 1000);
    for (const [old, until] of tokens) if (until <= parts.now()) tokens.delete(old);
    const response = textResponse(200, "text/plain", token);
    return { ...response, headers: { ...response.headers, "x-aws-ec2-metadata-token-ttl-seconds": ttl } };
  }

  function role(): RoleRecord | undefined {
    const name = parts.directory.instanceProfiles.get(instanceProfile)?.roleName;
    return name === undefined ? undefined : parts.directory.roles.get(name);
  }

  function credentials(found: RoleRecord): WireResponse {
    if (!trustsService(found, ["ec2.amazonaws.com"])) {
      return jsonDocument(200, { Code: "AssumeRoleUnauthorizedAccess", Message: "EC2 cannot assume the role." });
    }
    const session = parts.sessions.get(found, instanceId, parts.now());
    return jsonDocument(200, {
      Code: "Success",
      LastUpdated: isoSeconds(session.createdAt),
      Type: "AWS-HMAC",
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      Token: session.sessionToken,
      Expiration: isoSeconds(session.expiresAt),
    });
  }

  return (request: WireRequest, note: CallNote) => {
    if (!request.path.startsWith("/latest/")) return undefined;
    note.service = "imds";
    note.operation = `${request.method} ${request.path}`;
    if (request.path === "/latest/api/token") return issueToken(request);
    const until = tokens.get(request.headers.get("x-aws-ec2-metadata-token") ?? "");
    if (until === undefined || until <= parts.now()) return textResponse(401, "text/plain", "");
    const found = role();
    const { path } = request;
    if (path === `${credentialsPath}/` || path === credentialsPath) {
      return found === undefined ? textResponse(404, "text/plain", "") : textResponse(200, "text/plain", found.name);
    }
    if (found !== undefined && path === `${credentialsPath}/${found.name}`) {
      note.principal = found.arn;
      return credentials(found);
    }
    if (path === "/latest/meta-data/placement/region") return textResponse(200, "text/plain", parts.place.region);
    if (path === "/latest/meta-data/instance-id") return textResponse(200, "text/plain", instanceId);
    return textResponse(404, "text/plain", "");
  };
}
