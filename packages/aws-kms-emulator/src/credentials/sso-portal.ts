import { jsonResponse, type WireRequest, type WireResponse } from "../http/wire.js";
import { checkMembers } from "../option-members.js";
import { sameText } from "../sigv4/authenticate.js";
import type { CredentialSource, SourceParts } from "./source.js";

export interface SsoPortalOptions {
  /** The access token of the signed-in person, as the SSO cache file holds it. */
  readonly accessToken: string;
  /** Names of the roles that person may use. */
  readonly roles: readonly string[];
}

/** GetRoleCredentials of the IAM Identity Center portal (IAM Identity Center Portal API reference). */
export function ssoPortal(options: SsoPortalOptions, parts: SourceParts): CredentialSource {
  checkMembers(options, { accessToken: true, roles: true }, "ssoPortal");
  const refuse = (status: number, code: string, message: string): WireResponse =>
    jsonResponse(status, { message }, { "content-type": "application/json", "x-amzn-errortype": code });

  return (request: WireRequest, note) => {
    if (request.path !== "/federation/credentials") return undefined;
    note.service = "sso";
    note.operation = "GetRoleCredentials";
    const query = new URLSearchParams(request.query);
    if (!sameText(request.headers.get("x-amz-sso_bearer_token") ?? "", options.accessToken)) {
      return refuse(401, "UnauthorizedException", "Session token not found or invalid");
    }
    const role = parts.directory.roles.get(query.get("role_name") ?? "");
    if (role === undefined || !options.roles.includes(role.name) || query.get("account_id") !== role.account) {
      return refuse(403, "ForbiddenException", "No access");
    }
    note.principal = role.arn;
    const session = parts.sessions.get(role, "sso-user", parts.now());
    const roleCredentials = {
      accessKeyId: session.accessKeyId,
      secretAccessKey: session.secretAccessKey,
      sessionToken: session.sessionToken,
      expiration: session.expiresAt,
    };
    return jsonResponse(200, { roleCredentials }, { "content-type": "application/json" });
  };
}
