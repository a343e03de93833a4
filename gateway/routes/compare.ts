import { CompareQuery } from '../../contract/api/requests.js';
import { Comparison } from '../../contract/comparison.js';
import { compare } from '../compare.js';
import { defineRoute, READERS } from '../http/route.js';

export const compareSubjects = defineRoute({
  method: 'GET', path: '/compare', summary: 'Runs and versions side by side: metrics, parameters, data, code', access: READERS, query: CompareQuery, response: Comparison,
  async handle({ query: { of }, services }) {
    return compare(services, of);
  },
});
