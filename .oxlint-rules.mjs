/** What oxlint has no rule of its own for. */
export default {
  meta: { name: 'perennial' },
  rules: {
    'no-enums': { create: (context) => ({ TSEnumDeclaration: (node) => context.report({ node, message: 'Use a const object.' }) }) },
  },
};
