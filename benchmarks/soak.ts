// Five minutes at 80 % of what the agent answers at most, KMS faulty every other five seconds, documents read again every five.
// Fails on a wrong answer, a reply without its audit line, or memory that grows. An argument gives other seconds: soak.ts 30
import { writeResult } from "./harness/result.ts";
import { soak } from "./harness/soak-run.ts";

const seconds = Number(process.argv[2] ?? 300);
const result = await soak({
  seconds,
  peakSeconds: 10,
  onSecond: ({ second, rssMb, answered, faults }) => {
    if (second % 10 === 0)
      process.stderr.write(`${second} s: ${answered} answers, ${Math.round(rssMb)} MB${faults ? ", faults on" : ""}\n`);
  },
});
const held = {
  "no wrong answer": result.wrongAnswers === 0,
  "no lost audit line": result.lostAuditLines === 0 && result.auditChainOk,
  "memory of the last minute at most 1.2 × the second's": result.rssMb.ratio <= 1.2,
};
if (seconds === 300) writeResult("soak", { unit: "calls", held, ...result });
else console.log(JSON.stringify({ held, ...result }, null, 2));
process.exitCode = Object.values(held).every(Boolean) ? 0 : 1;
