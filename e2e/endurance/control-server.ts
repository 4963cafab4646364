// Answers AdminService/Health like an agent that has nothing else to do: node control-server.ts SOCKET. Ends with its standard input.
import { AdminService, grpcMethods, HealthResponseSchema } from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import { Server, ServerCredentials } from "@grpc/grpc-js";

const { path, requestDeserialize, responseSerialize } = grpcMethods(AdminService).health;
const server = new Server();
const handler = (_: unknown, answer: (error: null, value: unknown) => void) =>
  answer(null, create(HealthResponseSchema, { alive: true }));
server.register(path, handler as never, responseSerialize as never, requestDeserialize, "unary");
server.bindAsync(`unix:${process.argv[2]}`, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
  console.log("listening");
});
process.stdin.resume().once("end", () => process.exit());
