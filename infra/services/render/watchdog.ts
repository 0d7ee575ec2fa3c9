import type { RenderedFile } from "./rendered-file.ts";
import { plain, unitText } from "./systemd-text.ts";

/** What the watchdog of a service is made from. */
export interface WatchdogArgs {
  /** Name of the service's unit, without `.service`. */
  readonly name: string;
  /** What it asks: the health path, on the service's own address. */
  readonly url: string;
  /** Seconds without a good answer after which it acts. */
  readonly seconds: number;
  /** Whether the service can start its workers anew without ending. */
  readonly reloads: boolean;
}

/**
 * The watchdog of a service: a timer, and a script that asks the health path. After these seconds without a good answer
 * the workers are reloaded, and when that did not help the service is restarted. What was done stands in the journal,
 * with the process ids from before and after.
 *
 * It asks from outside, so it needs nothing of the program, and it sees what a client sees.
 */
export function watchdogFiles(args: WatchdogArgs): RenderedFile[] {
  const { name, seconds } = args;
  const unit = `${name}-watchdog`;
  const script = `/usr/local/libexec/${unit}`;
  return [
    {
      path: `/etc/systemd/system/${unit}.service`,
      mode: "0644",
      text: unitText({
        Unit: [
          ["Description", plain(`Watchdog of ${name}`)],
          ["After", `${name}.service`],
        ],
        Service: [
          ["Type", "oneshot"],
          ["ExecStart", script],
          // It asks, acts, asks again, acts again and asks for the last time.
          ["TimeoutStartSec", `${seconds * 6 + 120}`],
          ["SyslogIdentifier", unit],
          ["NoNewPrivileges", "yes"],
          ["CapabilityBoundingSet", ""],
          ["ProtectSystem", "strict"],
          ["ProtectHome", "yes"],
          ["PrivateTmp", "yes"],
          ["RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"],
        ],
      }),
    },
    {
      path: `/etc/systemd/system/${unit}.timer`,
      mode: "0644",
      text: unitText({
        Unit: [
          ["Description", plain(`Watchdog of ${name}, every ${pauseOf(seconds)} s`)],
          // It goes with the service: who stops that by hand wants it stopped.
          ["PartOf", `${name}.service`],
        ],
        Timer: [
          ["OnActiveSec", `${seconds}`],
          ["OnUnitInactiveSec", `${pauseOf(seconds)}`],
          ["AccuracySec", "1s"],
        ],
      }),
    },
    { path: script, mode: "0755", text: scriptText(args, unit) },
  ];
}

function pauseOf(seconds: number): number {
  return Math.max(1, Math.ceil(seconds / 3));
}

/** One attempt may take as long as the whole, but no longer than this, seconds. */
const attemptSeconds = 5;

function scriptText({ name, url, seconds, reloads }: WatchdogArgs, unit: string): string {
  return `#!/bin/sh
# Asks ${name} for its health. Rendered by cutover from the service table: changes here are lost.
set -u

unit=${quoted(`${name}.service`)}
url=${quoted(url)}
seconds=${seconds}

answers() {
  curl --fail --silent --output /dev/null --max-time ${Math.min(attemptSeconds, seconds)} \\
    --retry 1000 --retry-all-errors --retry-delay 1 --retry-max-time "$seconds" "$url"
}

state() {
  systemctl show --property "$1" --value "$unit"
}

workers() {
  pgrep --parent "$(state MainPID)" | paste -s -d ' ' -
}

# journald keeps one field a line.
tell() {
  logger --journald <<END
SYSLOG_IDENTIFIER=${unit}
PRIORITY=$1
MESSAGE=$unit: $2
OLD_WORKER_PIDS=\${old-}
NEW_WORKER_PIDS=\${new-}
END
}

# A service that starts, ends or was stopped is systemd's own matter.
[ "$(state ActiveState)" = active ] || exit 0
answers && exit 0

old=$(workers)
tell 4 "no good answer from $url for $seconds s"
${reloads ? reloading : ""}systemctl restart "$unit"
if answers; then
  new=$(workers)
  tell 4 "restarted"
  exit 0
fi
tell 3 "restarted, and still without a good answer"
exit 1
`;
}

const reloading = `# Workers that end slowly are still there beside those that took over.
fresh() {
  for pid in $(workers); do
    case " $old " in *" $pid "*) ;; *) echo "$pid" ;; esac
  done | paste -s -d ' ' -
}

systemctl reload "$unit"
waited=0
new=$(fresh)
while [ "$waited" -lt "$seconds" ] && [ -z "$new" ]; do
  sleep 1
  waited=$((waited + 1))
  new=$(fresh)
done
if [ -n "$new" ] && answers; then
  new=$(fresh)
  tell 5 "workers reloaded"
  exit 0
fi
`;

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
