import type { FakeKms } from "./fake-kms.js";

/**
 * Begins a call and freezes it for good at its n-th request, before or after KMS has acted, as a kill would.
 *
 * @returns False when the call ended with fewer requests.
 */
export async function killedAt(
  kms: FakeKms,
  when: "before" | "after",
  n: number,
  begin: () => Promise<unknown>,
): Promise<boolean> {
  let requests = 0;
  const reached = Promise.withResolvers<boolean>();
  kms[when] = () => {
    requests += 1;
    if (requests !== n) return;
    reached.resolve(true);
    return new Promise(() => {});
  };
  begin().then(
    () => reached.resolve(false),
    () => {},
  );
  const killed = await reached.promise;
  kms[when] = () => {};
  return killed;
}
