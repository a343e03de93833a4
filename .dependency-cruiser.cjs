/** The rooms and who may import whom: the table of docs/architecture.md, checked. */
const rooms = {
  definition: [],
  contract: ['definition'],
  domain: ['definition', 'contract'],
  workflows: ['domain', 'activities', 'definition', 'contract'],
  activities: ['stores', 'runtime', 'domain', 'contract', 'definition'],
  runtime: ['definition', 'domain', 'contract'],
  stores: ['contract', 'domain', 'definition'],
  serving: ['stores', 'runtime', 'domain', 'contract'],
  gateway: ['stores', 'contract', 'domain'],
  cli: ['contract', 'infra', 'domain', 'runtime'],
  infra: ['contract'],
};

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    ...Object.entries(rooms).map(([room, allowed]) => ({
      name: `room-${room}`,
      severity: 'error',
      comment: `${room}/ may import ${allowed.join(', ') || 'no other room'}`,
      from: { path: `^${room}/` },
      to: { path: `^(${[...Object.keys(rooms), 'workers'].filter((other) => other !== room && !allowed.includes(other)).join('|')})/` },
    })),
    { name: 'tensorflow-lives-in-runtime', severity: 'error', from: { pathNot: '^(runtime|bench|test)/' }, to: { path: '@tensorflow/' } },
    { name: 'lists-of-names-live-in-their-thread', severity: 'error', comment: 'they take half a second and 70 MB', from: { pathNot: '^(activities/data/personal/names/name-thread|test/)' }, to: { path: '^activities/data/personal/names/lists', dependencyTypesNot: ['type-only'] } },
    { name: 'faker-is-lists-of-names', severity: 'error', from: { pathNot: '^activities/data/personal/names/lists' }, to: { path: '@faker-js/' } },
  ],
  options: { tsPreCompilationDeps: true, tsConfig: { fileName: 'tsconfig.json' }, doNotFollow: { path: 'node_modules' }, enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'], extensions: ['.ts', '.js', '.mjs', '.json'] } },
};
