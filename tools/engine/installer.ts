// Called by download.ts in a process of its own: installer.ts <folder> <version>
import { PulumiCommand } from "@pulumi/pulumi/automation/cmd.js";
import semver from "semver";
import { whyUnreachable } from "./reach.ts";

const [root = "", version = ""] = process.argv.slice(2);
const problem = await whyUnreachable("https://get.pulumi.com/install.sh", 5_000);
if (problem !== undefined) {
  console.error(problem);
  process.exit(1);
}
try {
  await PulumiCommand.install({ root, version: new semver.SemVer(version) });
} catch (error) {
  const lines = String(error instanceof Error ? error.message : error).split("\n");
  const telling = lines.filter((line) => /error|fail|curl|denied|space/i.test(line));
  console.error((telling.length > 0 ? telling : lines).join(" ").slice(0, 400));
  process.exit(1);
}
