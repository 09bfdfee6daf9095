/** Rows of the log, and the wrapped key of a person. */
import { LOG_HEAD, LOG_RECORD, PENDING_RECORD } from '../../../lib/domain/store/log';
import { WRAPPED_KEY } from '../../../lib/domain/store/shred';
import { CASE_ID, PSEUDONYMOUS, type Sample, sample } from './sample';

export const LOG: readonly Sample[] = [
  sample(LOG_HEAD, [], { size: 7, root: `${'r'.repeat(43)}=`, fence: 7, staged: { key: 'staged/7-root', from: 5 } }),
  sample(LOG_RECORD, [`${CASE_ID}/opened`], { id: `${CASE_ID}/opened`, index: 6 }),
  sample(PENDING_RECORD, [7, '001800000000-ab-0000'], { record: '{"any":"text"}' }, [7]),
  sample(WRAPPED_KEY, [PSEUDONYMOUS], { wrappedDek: 'd3JhcHBlZA' }),
];
