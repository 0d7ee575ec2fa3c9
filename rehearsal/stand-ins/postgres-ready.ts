import { connect } from "node:net";

/** Version 3.0 of the protocol: https://www.postgresql.org/docs/18/protocol-message-formats.html (StartupMessage) */
const protocol = 0x0003_0000;
/** What a server says while it starts or ends. */
const notNow = "C57P03";

/**
 * Asks a PostgreSQL server as `pg_isready` does: whether it takes connections, and not whether it would let anybody in.
 *
 * @param timeout milliseconds
 */
export function postgresAnswers(
  { address, port }: { readonly address: string; readonly port: number },
  timeout: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout }, () => socket.write(startup()));
    const end = (well: boolean): void => {
      socket.destroy();
      resolve(well);
    };
    socket.once("data", (answer: Buffer) => {
      const kind = answer.toString("latin1", 0, 1);
      end(kind === "R" || (kind === "E" && !answer.includes(notNow)));
    });
    for (const event of ["error", "close", "timeout"] as const) {
      socket.once(event, () => {
        end(false);
      });
    }
  });
}

function startup(): Buffer {
  const words = Buffer.from("user\0pg_isready\0database\0postgres\0\0");
  const head = Buffer.alloc(8);
  head.writeUInt32BE(head.length + words.length, 0);
  head.writeUInt32BE(protocol, 4);
  return Buffer.concat([head, words]);
}
