import { textResponse, type WireRequest, type WireResponse } from "../http/wire.js";
import { checkMembers } from "../option-members.js";
import { sameText } from "../sigv4/authenticate.js";
import { trustsService } from "./service-session.js";
import { type CredentialSource, isoSeconds, jsonDocument, type SourceParts } from "./source.js";

export interface ContainerCredentialsOptions {
  /** A role that trusts `pods.eks.amazonaws.com` or `ecs-tasks.amazonaws.com`; looked up at each request. */
  readonly role: string;
  /** What the container must send as `Authorization`. */
  readonly authorizationToken: string;
}

export const containerCredentialsPath = "/v1/credentials";

/** The container credentials endpoint of EKS Pod Identity and ECS (EKS User Guide, "EKS Pod Identities"). */
export function containerCredentials(options: ContainerCredentialsOptions, parts: SourceParts): CredentialSource {
  checkMembers(options, { role: true, authorizationToken: true }, "containerCredentials");
  function credentials(): WireResponse {
    const role = parts.directory.roles.get(options.role);
    if (role === undefined || !trustsService(role, ["pods.eks.amazonaws.com", "ecs-tasks.amazonaws.com"])) {
      return jsonDocument(404, {
        code: "ResourceNotFoundException",
        message: "no role that this container may assume",
      });
    }
    const session = parts.sessions.get(role, "container", parts.now());
    return jsonDocument(200, {
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      Token: session.sessionToken,
      AccountId: role.account,
      Expiration: isoSeconds(session.expiresAt),
    });
  }

  return (request: WireRequest, note) => {
    if (request.path !== containerCredentialsPath) return undefined;
    note.service = "container";
    note.operation = "GetCredentials";
    if (request.method !== "GET") return textResponse(405, "text/plain", "");
    if (!sameText(request.headers.get("authorization") ?? "", options.authorizationToken)) {
      return jsonDocument(401, { code: "AccessDeniedException", message: "the authorization token is not accepted" });
    }
    return credentials();
  };
}
