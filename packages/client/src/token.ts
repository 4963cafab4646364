import type { CredentialResponse } from "@basil/proto";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Token } from "./answers.js";

export function tokenOf({ token, expiresAt }: CredentialResponse): Token {
  return expiresAt === undefined ? { token } : { token, expiresAt: timestampDate(expiresAt) };
}
