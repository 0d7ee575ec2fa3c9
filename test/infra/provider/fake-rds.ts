import { answerAws, type Answered, type Asked } from "../readings/aws/aws.ts";

/** An instance of {@link FakeRds}. */
export interface FakeInstance {
  identifier: string;
  version: string;
  /** RDS's own id, which no renaming changes. */
  resourceId: string;
  status: string;
  protected: boolean;
  tags: Record<string, string>;
  parameters: string;
  managed: boolean;
}

/** A snapshot of {@link FakeRds}: it is available once it was asked about. */
export interface FakeSnapshot {
  resourceId: string;
  status: string;
}

/** A deployment of {@link FakeRds}. */
export interface FakeDeployment {
  name: string;
  source: string;
  tags: Record<string, string>;
  /** What the next questions are told; the last one stays. */
  statuses: string[];
  switched: boolean;
}

/** RDS as far as a blue/green upgrade goes, slowly and with accidents: what moto does at once and always well. */
export interface FakeRds {
  readonly instances: FakeInstance[];
  readonly snapshots: Map<string, FakeSnapshot>;
  readonly deployments: FakeDeployment[];
  /** The names of the actions that changed something, in order. */
  readonly changes: string[];
  /** What a new deployment goes through. */
  created: string[];
  /** What a switchover goes through; it happens at its end, when that is SWITCHOVER_COMPLETED. */
  switching: string[];
  /** Called before an action; what it throws is a connection that breaks. */
  before: (action: string) => void;
}

const changing = /^(?:Create|Modify|Delete|Switchover)/;

/** Starts a RDS for one test, and brings the clients of AWS to it. */
export async function startFakeRds(): Promise<FakeRds> {
  const fake: FakeRds = {
    instances: [],
    snapshots: new Map(),
    deployments: [],
    changes: [],
    created: ["PROVISIONING", "AVAILABLE"],
    switching: ["SWITCHOVER_IN_PROGRESS", "SWITCHOVER_COMPLETED"],
    before: () => undefined,
  };
  await answerAws((asked) => {
    try {
      fake.before(asked.action);
    } catch {
      return (response) => response.destroy();
    }
    if (changing.test(asked.action)) fake.changes.push(asked.action);
    return answer(fake, asked);
  });
  return fake;
}

/** An instance as it is before an upgrade. */
export function fakeInstance(identifier: string, more: Partial<FakeInstance> = {}): FakeInstance {
  return {
    identifier,
    version: "1.1",
    resourceId: `db-${identifier.toUpperCase()}`,
    status: "available",
    protected: false,
    tags: {},
    parameters: "in-sync",
    managed: false,
    ...more,
  };
}

function answer(fake: FakeRds, { action, body }: Asked): Answered {
  const sent = new URLSearchParams(body);
  const identifier = sent.get("DBInstanceIdentifier");
  const instance = fake.instances.find((each) => each.identifier === identifier);
  const deployment = fake.deployments.find(
    ({ name }) =>
      [`bgd-${name}`, name].includes(sent.get("BlueGreenDeploymentIdentifier") ?? "") ||
      name === sent.get("Filters.Filter.1.Values.Value.1"),
  );
  const result = (xml: string): string =>
    `<${action}Response xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><${action}Result>${xml}</${action}Result></${action}Response>`;
  const actions: Readonly<Record<string, () => Answered>> = {
    DescribeDBInstances() {
      if (identifier !== null && instance === undefined) return refused("DBInstanceNotFound");
      const shown = instance === undefined ? fake.instances : [instance];
      return result(`<DBInstances>${shown.map(instanceXml).join("")}</DBInstances>`);
    },
    ModifyDBInstance() {
      if (instance === undefined) return refused("DBInstanceNotFound");
      instance.protected = sent.get("DeletionProtection") === "true";
      return result("");
    },
    DeleteDBInstance() {
      if (instance === undefined) return refused("DBInstanceNotFound");
      if (instance.protected) return refused("InvalidParameterCombination");
      fake.instances.splice(fake.instances.indexOf(instance), 1);
      return result("");
    },
    AddTagsToResource() {
      const name = sent.get("ResourceName")?.split(":").at(-1);
      const tagged = fake.instances.find((each) => each.identifier === name);
      Object.assign(tagged?.tags ?? {}, tagsIn(sent));
      return result("");
    },
    DescribeDBSnapshots() {
      const name = sent.get("DBSnapshotIdentifier") ?? "";
      const snapshot = fake.snapshots.get(name);
      if (snapshot === undefined) return refused("DBSnapshotNotFound");
      const xml = `<DBSnapshots><DBSnapshot><DBSnapshotIdentifier>${name}</DBSnapshotIdentifier><Status>${snapshot.status}</Status><DbiResourceId>${snapshot.resourceId}</DbiResourceId></DBSnapshot></DBSnapshots>`;
      if (snapshot.status === "creating") snapshot.status = "available";
      return result(xml);
    },
    CreateDBSnapshot() {
      const { resourceId = "" } = instance ?? {};
      fake.snapshots.set(sent.get("DBSnapshotIdentifier") ?? "", {
        resourceId,
        status: "creating",
      });
      return result("");
    },
    CreateBlueGreenDeployment() {
      const name = sent.get("BlueGreenDeploymentName") ?? "";
      const source = sent.get("Source")?.split(":").at(-1) ?? "";
      const blue = fake.instances.find((each) => each.identifier === source);
      fake.deployments.push({
        name,
        source,
        tags: tagsIn(sent),
        statuses: [...fake.created],
        switched: false,
      });
      const version = sent.get("TargetEngineVersion") ?? blue?.version ?? "";
      fake.instances.push(
        fakeInstance(`${source}-green-abc123`, { version, resourceId: "db-GREEN" }),
      );
      return result("");
    },
    DescribeBlueGreenDeployments() {
      const shown = deployment === undefined ? "" : deploymentXml(fake, deployment);
      return result(`<BlueGreenDeployments>${shown}</BlueGreenDeployments>`);
    },
    SwitchoverBlueGreenDeployment() {
      if (deployment !== undefined) deployment.statuses = [...fake.switching];
      return result("");
    },
    DeleteBlueGreenDeployment() {
      // RDS refuses the pair of a finished switchover and this.
      if (sent.has("DeleteTarget")) return refused("InvalidBlueGreenDeploymentStateFault");
      fake.deployments.length = 0;
      return result("");
    },
  };
  return actions[action]?.() ?? refused("InvalidAction");
}

function instanceXml(each: FakeInstance): string {
  const managed = `<MasterUserSecret><SecretArn>arn:secret</SecretArn></MasterUserSecret>`;
  return [
    `<DBInstance><DBInstanceIdentifier>${each.identifier}</DBInstanceIdentifier>`,
    `<DBInstanceArn>${arnOf(each.identifier)}</DBInstanceArn>`,
    `<EngineVersion>${each.version}</EngineVersion><DbiResourceId>${each.resourceId}</DbiResourceId>`,
    `<DBInstanceStatus>${each.status}</DBInstanceStatus>`,
    `<DeletionProtection>${String(each.protected)}</DeletionProtection>`,
    `<DBParameterGroups><DBParameterGroup><DBParameterGroupName>group</DBParameterGroupName><ParameterApplyStatus>${each.parameters}</ParameterApplyStatus></DBParameterGroup></DBParameterGroups>`,
    each.managed ? managed : "",
    `${tagsXml(each.tags)}</DBInstance>`,
  ].join("");
}

function deploymentXml(fake: FakeRds, deployment: FakeDeployment): string {
  const { name, statuses, source, tags } = deployment;
  const status = (statuses.length > 1 ? statuses.shift() : statuses[0]) ?? "";
  if (status === "SWITCHOVER_COMPLETED" && !deployment.switched) {
    deployment.switched = true;
    const [blue, green] = [source, `${source}-green-abc123`].map((identifier) =>
      fake.instances.find((each) => each.identifier === identifier),
    );
    if (blue !== undefined) blue.identifier = `${source}-old1`;
    if (green !== undefined) green.identifier = source;
  }
  const blue = deployment.switched ? `${source}-old1` : source;
  return `<member><BlueGreenDeploymentIdentifier>bgd-${name}</BlueGreenDeploymentIdentifier><Source>${arnOf(blue)}</Source><Status>${status}</Status><StatusDetails>details of ${status}</StatusDetails>${tagsXml(tags)}</member>`;
}

function arnOf(identifier: string): string {
  return `arn:aws:rds:eu-central-1:123456789012:db:${identifier}`;
}

function tagsXml(tags: Readonly<Record<string, string>>): string {
  const entries = Object.entries(tags).map(
    ([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`,
  );
  return `<TagList>${entries.join("")}</TagList>`;
}

function tagsIn(sent: URLSearchParams): Record<string, string> {
  const tags: [string, string][] = [];
  for (let index = 1; sent.has(`Tags.Tag.${String(index)}.Key`); index += 1) {
    const part = (name: string): string => sent.get(`Tags.Tag.${String(index)}.${name}`) ?? "";
    tags.push([part("Key"), part("Value")]);
  }
  return Object.fromEntries(tags);
}

function refused(code: string): Answered {
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${code} of the test</Message></Error>`;
  return [400, `<ErrorResponse>${error}<RequestId>1</RequestId></ErrorResponse>`];
}
