// Kills an agent 50 times, or as often as the first argument says: node e2e/endurance/kill.ts [KILLS]
import { killRounds } from "./kill-rounds.ts";

const kills = Number(process.argv[2] ?? 50);
const report = await killRounds(kills, (round) => process.stderr.write(`\rkill ${round} of ${kills}`));
process.stderr.write("\n");
console.log(JSON.stringify(report, null, 2));
process.exitCode = report.problems.length > 0 ? 1 : 0;
