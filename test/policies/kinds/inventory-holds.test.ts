import { expect, test } from "vitest";
import { judgeBy, kindNamed, testKind } from "../../support/kind-tester.ts";

const entries = [
  { name: "README.md", digest: "a".repeat(40), executable: false },
  { name: ".env.example", digest: "b".repeat(40), executable: false },
  { name: "scripts/freeze.sh", digest: "c".repeat(40), executable: true },
  { name: "scripts/thaw.sh", digest: "d".repeat(40), executable: true },
  { name: "prisma/migrations/1_init/migration.sql", executable: false },
  { name: "prisma/migrations/1_init/down.sql", executable: false },
  { name: "prisma/migrations/2_totals/migration.sql", executable: false },
  { name: "prisma/migrations/2_totals/irreversible.md", executable: false },
  { name: "app/orders/[id]/page.tsx", executable: false },
];

const migrations = "prisma/migrations/*/migration.sql";

/** The entries without one. */
function without(name: string): unknown {
  return { entries: entries.filter((entry) => entry.name !== name) };
}

/** The entries and one more. */
function and(entry: object): unknown {
  return { entries: [...entries, entry] };
}

function given(value: unknown): { given: Readonly<Record<string, unknown>> } {
  return { given: value as Readonly<Record<string, unknown>> };
}

testKind("inventory-holds", {
  requires: {
    present: ["README.md", "**/freeze.sh"],
    absent: ["**/*.pem", "**/.env"],
    count: { [migrations]: { is: 2 }, "scripts/*": { atLeast: 2, atMost: 5 } },
    executable: ["scripts/*.sh"],
    beside: { [migrations]: ["down.sql", "irreversible.md"] },
    together: { "prisma/**": "README.md" },
  },
  required:
    "something that matches each of README.md and **/freeze.sh, " +
    "nothing that matches one of **/*.pem and **/.env, " +
    `exactly 2 of ${migrations}, 2 to 5 of scripts/*, scripts/*.sh executable, ` +
    `one of down.sql and irreversible.md beside each ${migrations} and ` +
    "README.md wherever there is prisma/**",
  given: { entries },
  passes: {
    "names only": {
      requires: { executable: undefined },
      given: { entries: entries.map(({ name }) => ({ name })) },
    },
    "a file whose name begins with a dot": { requires: { present: [".env*", "*.example"] } },
    "a name with marks of patterns, as it is": { requires: { present: [entries[8]?.name] } },
    "a name with marks of patterns, escaped": {
      requires: { present: [String.raw`app/orders/\[id\]/*`] },
    },
    "nothing outside of some folders": {
      requires: { present: undefined, absent: ["!{app,prisma,scripts}/**"], together: undefined },
      given: { entries: entries.slice(2) },
    },
    "nothing that would have to come together": {
      requires: { together: { "terraform/**": "docs/**" } },
    },
    "as many as there may be": { requires: { count: { "**": { atMost: 9 } } } },
    "as many as there must be": { requires: { count: { "**": { atLeast: 9 } } } },
    "none where none may be": { requires: { count: { "**/*.key": { is: 0 } } } },
  },
  fails: {
    "a file that is missing": [
      given(without("scripts/freeze.sh")),
      "fail",
      "nothing matches **/freeze.sh",
    ],
    "several that are missing": [
      { requires: { present: ["a", "README.md", "b"] } },
      "fail",
      "2 patterns match nothing: a and b",
    ],
    "one that is listed twice where there must be two": [
      {
        requires: { count: { "scripts/f*": { atLeast: 2 } } },
        given: { entries: [...entries, entries[2]] },
      },
      "fail",
      "scripts/f* matches 2 entries",
    ],
    "one that is listed twice where there may be one": [
      {
        requires: { count: { "scripts/f*": { atMost: 1 } } },
        given: { entries: [...entries, entries[2]] },
      },
      "fail",
      "scripts/f* matches 2 entries",
    ],
    "what may not be there in a list of ./": [
      given(and({ name: "./config/server.pem", executable: false })),
      "fail",
      "**/*.pem matches 1 entry: ./config/server.pem",
    ],
    "a file in other letters": [
      { requires: { present: ["readme.md"] } },
      "fail",
      "nothing matches readme.md",
    ],
    "a file that lies deeper": [
      { requires: { present: ["*.sh"] } },
      "fail",
      "nothing matches *.sh",
    ],
    "a file that must not be there": [
      given(and({ name: "keys/tls.pem", executable: false })),
      "fail",
      "**/*.pem matches 1 entry: keys/tls.pem",
    ],
    "a file that must not be there and begins with a dot": [
      given(and({ name: "app/.env", executable: false })),
      "fail",
      "**/.env matches 1 entry: app/.env",
    ],
    "a file that hides behind the end of a line": [
      { requires: { absent: ["keys/**"] }, ...given(and({ name: "keys/\nx", executable: false })) },
      "fail",
      "keys/** matches 1 entry: keys/ x",
    ],
    "too few": [
      given(without("prisma/migrations/1_init/migration.sql")),
      "fail",
      `${migrations} matches 1 entry`,
    ],
    "too many": [{ requires: { count: { "**": { atMost: 8 } } } }, "fail", "** matches 9 entries"],
    "one where none may be": [
      { requires: { count: { "README.*": { is: 0 } } } },
      "fail",
      "README.* matches 1 entry",
    ],
    "a script that cannot be executed": [
      given(and({ name: "scripts/drain.sh", executable: false })),
      "fail",
      "not executable: scripts/drain.sh",
    ],
    "a script of which nothing is known": [
      given(and({ name: "scripts/drain.sh" })),
      "inconclusive",
      "not known to be executable: scripts/drain.sh",
    ],
    "no script": [{ requires: { executable: ["bin/*"] } }, "fail", "nothing matches bin/*"],
    "a migration without its way back": [
      given(without("prisma/migrations/1_init/down.sql")),
      "fail",
      "without one of down.sql and irreversible.md beside it: prisma/migrations/1_init/migration.sql",
    ],
    "a migration that is its own way back": [
      { requires: { beside: { [migrations]: ["migration.sql"] } } },
      "fail",
      "without migration.sql beside it: prisma/migrations/1_init/migration.sql " +
        "and prisma/migrations/2_totals/migration.sql",
    ],
    "no migration that something would lie beside": [
      { requires: { beside: { "db/*.sql": ["down.sql"] } } },
      "fail",
      "nothing matches db/*.sql",
    ],
    "a file at the top without the one beside it": [
      { requires: { beside: { "README.md": ["LICENSE"] } } },
      "fail",
      "without LICENSE beside it: README.md",
    ],
    "one of two that come together": [
      { requires: { together: { "prisma/**": "docs/**" } } },
      "fail",
      "prisma/migrations/1_init/migration.sql is there, and nothing matches docs/**",
    ],
    "a list that may be empty, and lacks what must be there": [
      { requires: { mayBeEmpty: true }, given: { entries: [] } },
      "fail",
      "2 patterns match nothing: README.md and **/freeze.sh",
    ],
    "a list of nothing": [{ given: { entries: [] } }, "inconclusive", "the list has no entries"],
    "a list of nothing, where nothing may be": [
      {
        requires: {
          present: undefined,
          count: undefined,
          executable: undefined,
          beside: undefined,
          together: undefined,
        },
        given: { entries: [] },
      },
      "inconclusive",
      "the list has no entries",
    ],
  },
  refuses: {
    nothing: {
      present: undefined,
      absent: undefined,
      count: undefined,
      executable: undefined,
      beside: undefined,
      together: undefined,
    },
    "a pattern that is none": { absent: ["a{"] },
    "a pattern that can match nothing": { absent: ["[z-a]"] },
    "a pattern twice": { present: ["a", "a"] },
    "a pattern that is none as a key of count": { count: { "a{": { is: 1 } } },
    "a pattern that is none as a key of beside": { beside: { "a{": ["b"] } },
    "a pattern that is none as a key of together": { together: { "a{": "b" } },
    "a pattern that is none to come together": { together: { a: "b{" } },
    "a count without a limit": { count: { a: {} } },
    "a count that nothing can fail": { count: { a: { atLeast: 0 } } },
    "two counts": { count: { a: { is: 1, atMost: 2 } } },
    "more at least than at most": { count: { a: { atLeast: 3, atMost: 2 } } },
    "half a file": { count: { a: { is: 0.5 } } },
    "a path for a file name": { beside: { a: ["b/c"] } },
    "no file name": { beside: { a: [] } },
  },
  hostile: (name) => ({
    requires: {
      present: ["missing"],
      absent: ["**"],
      executable: ["*"],
      beside: { "**": ["missing"] },
      together: { "**": "missing" },
    },
    given: { entries: [{ name: name.slice(0, 1024) }] },
  }),
});

test("inventory-holds judges 50,000 files at once", () => {
  const kind = kindNamed("inventory-holds");
  const many = Array.from({ length: 50_000 }, (_, index) => ({
    name: `src/${index % 100}/deep/er/file-${index}.ts`,
    executable: false,
  }));
  const asked = kind.requires.parse({
    present: ["**/file-1.ts", "src/**/file-49999.ts"],
    absent: ["**/*.pem", "**/.env*", "!src/**"],
    count: { "**/*.ts": { is: 50_000 } },
  });
  const started = performance.now();
  expect(judgeBy(kind, { entries: many }, asked)).toEqual([]);
  expect(performance.now() - started).toBeLessThan(5000);
});
