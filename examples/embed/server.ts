import { connectEmbedded, createSigner, publicJwks, signJwt } from "@basil/client";
import Fastify from "fastify";
import { part, startBroker } from "./broker.ts";

const broker = await startBroker(process.env.AUDIT_LOG ?? "audit.jsonl");
// Two parts of one program with unlike rights: one signs, the other reads the public key and is refused a signature.
const issuer = await createSigner(connectEmbedded(broker.transport(part(2001))), "tokens.signing");
const checker = connectEmbedded(broker.transport(part(2002)));

const app = Fastify();

app.post<{ Body: { subject: string } }>(
  "/tokens",
  {
    schema: {
      body: { type: "object", required: ["subject"], properties: { subject: { type: "string", minLength: 1 } } },
    },
  },
  async ({ body }) => {
    const now = Math.floor(Date.now() / 1000);
    return { token: await signJwt(issuer, { sub: body.subject, iat: now, exp: now + 300 }) };
  },
);

app.get("/jwks.json", async () => publicJwks([await createSigner(checker, "tokens.signing")]));

app.post("/as-checker", async (_, reply) => {
  try {
    await checker.sign("tokens.signing", new TextEncoder().encode("not for the checker"));
    return { signed: true };
  } catch (error) {
    return reply.code(403).send({ error: (error as { code?: string }).code });
  }
});

app.get("/ready", async (_, reply) => {
  const { ready, reason } = await checker.readiness();
  return reply.code(ready ? 200 : 503).send({ ready, reason });
});

app.addHook("onClose", () => broker.close());
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void app.close());
console.log(await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT ?? 3000) }));
