// Calls of the client beside grpc-js used bare: same agent, same socket, same message, a channel each, in turns. Health asks
// no backend and no policy, so it is the client that is measured; Sign is what callers do. `ratio` is client / grpc-js.
import { connect } from "@basil/client";
import { AdminService, grpcMethods, HealthRequestSchema, SigningService, SignRequestSchema } from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { startDeployment } from "./harness/deployment.ts";
import { type Contender, measureInTurns } from "./harness/in-turns.ts";
import { writeResult } from "./harness/result.ts";

const message = new TextEncoder().encode("a message of ordinary length, as a JWS signing input would be, more or less");

await using deployment = await startDeployment();
await using basil = await connect(deployment.socket);
const bare = new Client(`unix:${deployment.socket}`, credentials.createInsecure(), {
  "grpc.default_authority": "localhost",
  "grpc.use_local_subchannel_pool": 1,
});
const { health } = grpcMethods(AdminService);
const { sign } = grpcMethods(SigningService);

/** A call as grpc-js's own documentation has it, with the deadline that the client sets too. */
function bareCall<Request, Response>(
  { path, requestSerialize, responseDeserialize }: BareMethod<Request, Response>,
  make: () => Request,
): Promise<Response | undefined> {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + 30_000;
    const done = (error: Error | null, response?: Response) => (error ? reject(error) : resolve(response));
    bare.makeUnaryRequest(path, requestSerialize, responseDeserialize, make(), new Metadata(), { deadline }, done);
  });
}

interface BareMethod<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** Keeps how long each call took. */
function timed({ name, once }: Contender): { contender: Contender; p99: () => number } {
  const times: number[] = [];
  return {
    contender: {
      name,
      once: async () => {
        const startedAt = performance.now();
        await once();
        times.push(performance.now() - startedAt);
      },
    },
    p99: () => {
      const sorted = Float64Array.from(times).sort();
      return Math.round((sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN) * 1000) / 1000;
    },
  };
}

const pairs = {
  health: [() => basil.health(), () => bareCall(health, () => create(HealthRequestSchema))],
  sign: [
    () => basil.sign("bench.key", message),
    () => bareCall(sign, () => create(SignRequestSchema, { keyId: "bench.key", message })),
  ],
} as const;

const results = [];
for (const [method, [client, grpc]] of Object.entries(pairs)) {
  for (const inFlight of [1, 32]) {
    const [first, second] = [timed({ name: "client", once: client }), timed({ name: "grpc-js", once: grpc })];
    const measured = await measureInTurns(first.contender, second.contender, { inFlight, rounds: 61, calls: 200 });
    results.push({ method, ...measured, p99Ms: { client: first.p99(), "grpc-js": second.p99() } });
  }
}
bare.close();
writeResult("client", { unit: "calls a second", ratioOf: "client / grpc-js", results });
