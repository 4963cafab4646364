import { within } from "@basil/core";
import { isAwsHost } from "./aws-host.js";
import type { LiveClient } from "./live-client.js";
import type { AwsKmsOptions } from "./options.js";
import type { UndiciRequestHandler } from "./request-handler.js";

/** Who AWS says the caller is, or why it did not. */
export type CallerIdentity = { readonly arn: string } | { readonly unknown: string };

/** STS is asked beside KMS and never waited for longer: a host without a way to it is a common one. */
const DEADLINE_MS = 3000;

/**
 * `sts:GetCallerIdentity`, which needs no permission and cannot be denied to valid credentials:
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html. It is asked at the region's endpoint, or
 * where `AWS_ENDPOINT_URL_STS`, `AWS_ENDPOINT_URL` or the profile says; and where KMS is none of AWS's own hosts, at that one,
 * so that credentials made for an emulator are not shown to AWS.
 *
 * @throws the signal's reason once it aborts, and nothing else.
 */
export async function callerIdentity(
  live: Pick<LiveClient, "origin" | "transport" | "credentials">,
  { region, profile, fips, dualStack }: AwsKmsOptions,
  signal: AbortSignal,
): Promise<CallerIdentity> {
  const { GetCallerIdentityCommand, STSClient } = await import("@aws-sdk/client-sts");
  const kms = await live.origin;
  if (kms === undefined) return { unknown: "KMS could not be asked either" };
  let kept = false;
  const ask = async (abortSignal: AbortSignal, endpoint?: string): Promise<string | undefined> => {
    const requestHandler: Pick<UndiciRequestHandler, "handle" | "metadata"> = {
      metadata: live.transport.metadata,
      async handle(request, how) {
        if (isAwsHost(request.hostname) && !isAwsHost(new URL(kms).hostname)) {
          kept = true;
          throw new Error("kept from AWS");
        }
        return live.transport.handle(request, how);
      },
    };
    const client = new STSClient({
      requestHandler,
      credentials: Object.assign(live.credentials, { memoized: true }),
      maxAttempts: 1,
      ...(region !== undefined && { region }),
      ...(profile !== undefined && { profile }),
      ...(endpoint !== undefined && { endpoint }),
      ...(endpoint === undefined && fips !== undefined && { useFipsEndpoint: fips }),
      ...(endpoint === undefined && dualStack !== undefined && { useDualstackEndpoint: dualStack }),
    });
    try {
      return (await client.send(new GetCallerIdentityCommand({}), { abortSignal })).Arn;
    } finally {
      client.destroy();
    }
  };
  const askTwice = (limited: AbortSignal) =>
    ask(limited).catch((failure: unknown) => {
      if (!kept) throw failure;
      return ask(limited, kms);
    });
  const late = new Error(`STS did not answer within ${DEADLINE_MS / 1000} s`);
  try {
    const arn = await within(DEADLINE_MS, signal, askTwice, { late: () => late });
    return arn === undefined ? { unknown: "STS answered without one" } : { arn };
  } catch (failure) {
    signal.throwIfAborted();
    if (failure === late) return { unknown: late.message };
    const { name, message } = failure instanceof Error ? failure : { name: "Error", message: String(failure) };
    return { unknown: `STS said ${name}: ${message}` };
  }
}
