import { iamArn } from "../place.js";
import type { XmlValue } from "../query/xml.js";
import { Refusal } from "../refusal.js";
import type { RoleRecord } from "./directory.js";
import type { IamCall } from "./iam-service.js";
import type { PolicyDocument } from "./policy-document.js";

/** The role, after the caller was found to be allowed; a caller who is not is not told whether there is one. */
function authorizedRole(call: IamCall, action: string, name: string): RoleRecord {
  const role = call.directory.roles.get(name);
  call.authorize(action, role?.arn ?? iamArn(call.place, `role/${name}`));
  if (role === undefined) throw new Refusal("NoSuchEntity", `The role with name ${name} cannot be found.`, 404);
  return role;
}

interface RolePolicy {
  readonly RoleName: string;
  readonly PolicyName: string;
}

export function putRolePolicy(
  { RoleName, PolicyName }: RolePolicy,
  document: () => PolicyDocument,
  call: IamCall,
): undefined {
  authorizedRole(call, "iam:PutRolePolicy", RoleName).inlinePolicies.set(PolicyName, document());
}

function inlinePolicy(role: RoleRecord, name: string): PolicyDocument {
  const found = role.inlinePolicies.get(name);
  if (found !== undefined) return found;
  throw new Refusal("NoSuchEntity", `The role policy with name ${name} cannot be found.`, 404);
}

export function getRolePolicy({ RoleName, PolicyName }: RolePolicy, call: IamCall): XmlValue {
  const role = authorizedRole(call, "iam:GetRolePolicy", RoleName);
  return { RoleName, PolicyName, PolicyDocument: encodeURIComponent(inlinePolicy(role, PolicyName).text) };
}

export function deleteRolePolicy({ RoleName, PolicyName }: RolePolicy, call: IamCall): undefined {
  const role = authorizedRole(call, "iam:DeleteRolePolicy", RoleName);
  inlinePolicy(role, PolicyName);
  role.inlinePolicies.delete(PolicyName);
}

export function deleteRole({ RoleName }: { readonly RoleName: string }, call: IamCall): undefined {
  const role = authorizedRole(call, "iam:DeleteRole", RoleName);
  const conflict = (what: string) => new Refusal("DeleteConflict", `Cannot delete entity, must ${what} first.`, 409);
  if (role.inlinePolicies.size > 0) throw conflict("delete policies");
  if (role.attachedPolicies.size > 0) throw conflict("detach all policies");
  const profiles = [...call.directory.instanceProfiles.values()];
  if (profiles.some(({ roleName }) => roleName === RoleName)) throw conflict("remove roles from instance profile");
  call.directory.roles.delete(RoleName);
}

interface ProfileName {
  readonly InstanceProfileName: string;
}

function authorizedProfile(call: IamCall, action: string, name: string) {
  const profile = call.directory.instanceProfiles.get(name);
  call.authorize(action, profile?.arn ?? iamArn(call.place, `instance-profile/${name}`));
  if (profile === undefined) throw new Refusal("NoSuchEntity", `Instance Profile ${name} cannot be found.`, 404);
  return profile;
}

export function removeRoleFromInstanceProfile(
  { InstanceProfileName, RoleName }: ProfileName & { readonly RoleName: string },
  call: IamCall,
): undefined {
  const profile = authorizedProfile(call, "iam:RemoveRoleFromInstanceProfile", InstanceProfileName);
  if (profile.roleName !== RoleName) {
    throw new Refusal("NoSuchEntity", `The role with name ${RoleName} cannot be found.`, 404);
  }
  profile.roleName = undefined;
}

export function deleteInstanceProfile({ InstanceProfileName }: ProfileName, call: IamCall): undefined {
  const profile = authorizedProfile(call, "iam:DeleteInstanceProfile", InstanceProfileName);
  if (profile.roleName !== undefined) {
    throw new Refusal("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.", 409);
  }
  call.directory.instanceProfiles.delete(InstanceProfileName);
}
