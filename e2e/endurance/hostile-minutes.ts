// Hostile input for three minutes, or the seconds of the first argument, and 2,000 connections: node e2e/endurance/hostile-minutes.ts [SECONDS] [SEED]
import { hostileRounds, hostileVerdict } from "./hostile.ts";

const [seconds = "180", seed] = process.argv.slice(2);
const options = { seconds: Number(seconds), connections: 2000, ...(seed === undefined ? {} : { seed: Number(seed) }) };
const report = await hostileRounds(options);
const verdict = hostileVerdict(report);
console.log(JSON.stringify({ verdict, ...report }, null, 2));
process.exitCode = Object.values(verdict).includes(false) ? 1 : 0;
