import { type Identity, type Policy, type Resolution, resolveSubject } from "@basil/policy";

/** Who an identity is to a policy, found once: a connection keeps its identity, a generation its policy. */
const resolutions = new WeakMap<Policy, WeakMap<Identity, Resolution>>();

export function resolutionOf(policy: Policy, identity: Identity): Resolution {
  let ofPolicy = resolutions.get(policy);
  if (ofPolicy === undefined) {
    ofPolicy = new WeakMap();
    resolutions.set(policy, ofPolicy);
  }
  let resolution = ofPolicy.get(identity);
  if (resolution === undefined) {
    resolution = resolveSubject(policy, identity);
    ofPolicy.set(identity, resolution);
  }
  return resolution;
}
