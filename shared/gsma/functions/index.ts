import type { FunctionName, InterfaceFunction } from '../interface-function.ts';
import { addCrl } from './admin/add-crl.ts';
import { getAuditLines } from './admin/get-audit-lines.ts';
import { openTransfer as adminOpenTransfer } from './admin/open-transfer.ts';
import { replayCallbacks } from './admin/replay-callbacks.ts';
import { cancelOrder } from './es2f/cancel-order.ts';
import { checkEligibility } from './es2f/check-eligibility.ts';
import { closeOrder } from './es2f/close-order.ts';
import { getOrderOutput } from './es2f/get-order-output.ts';
import { getOrderReport } from './es2f/get-order-report.ts';
import { getOrderStatus } from './es2f/get-order-status.ts';
import { getServerKeys as es2fGetServerKeys } from './es2f/get-server-keys.ts';
import { openTransfer as es2fOpenTransfer } from './es2f/open-transfer.ts';
import { prepareProfiles } from './es2f/prepare-profiles.ts';
import { releaseProfile } from './es2f/release-profile.ts';
import { replaceProfile } from './es2f/replace-profile.ts';
import { handleNotification } from './es9plus/handle-notification.ts';
import { closeKeys as esbppCloseKeys } from './esbpp/close-keys.ts';
import { getBppBatch } from './esbpp/get-bpp-batch.ts';
import { getDeletionStatement } from './esbpp/get-deletion-statement.ts';
import { getServerKeys as esbppGetServerKeys } from './esbpp/get-server-keys.ts';
import { getTransfer as esbppGetTransfer } from './esbpp/get-transfer.ts';
import { openTransfer as esbppOpenTransfer } from './esbpp/open-transfer.ts';
import { requestBpp } from './esbpp/request-bpp.ts';
import { sendProfileLoadingReport } from './esbpp/send-profile-loading-report.ts';
import { closeKeys as esed1CloseKeys } from './esed1/close-keys.ts';
import { getTransfer as esed1GetTransfer } from './esed1/get-transfer.ts';
import { openTransfer as esed1OpenTransfer } from './esed1/open-transfer.ts';
import { registerEuiccData } from './esed1/register-euicc-data.ts';
import { cancelOrder as opsCancelOrder } from './ops/cancel-order.ts';
import { closeOrder as opsCloseOrder } from './ops/close-order.ts';
import { countFailures } from './ops/count-failures.ts';
import { exportAuditLines } from './ops/export-audit-lines.ts';
import { findDevice } from './ops/find-device.ts';
import { findProfile } from './ops/find-profile.ts';
import { findRequest } from './ops/find-request.ts';
import { getHealth } from './ops/get-health.ts';
import { getJob } from './ops/get-job.ts';
import { getOrder } from './ops/get-order.ts';
import { getOverview } from './ops/get-overview.ts';
import { getReport } from './ops/get-report.ts';
import { listApprovals } from './ops/list-approvals.ts';
import { listAuditLines } from './ops/list-audit-lines.ts';
import { listCallbacks } from './ops/list-callbacks.ts';
import { listCalls } from './ops/list-calls.ts';
import { listExpiring } from './ops/list-expiring.ts';
import { listFailures } from './ops/list-failures.ts';
import { listIngests } from './ops/list-ingests.ts';
import { listJobs } from './ops/list-jobs.ts';
import { listKeysLeft } from './ops/list-keys-left.ts';
import { listOrders } from './ops/list-orders.ts';
import { listParties } from './ops/list-parties.ts';
import { listProfiles } from './ops/list-profiles.ts';
import { listReports } from './ops/list-reports.ts';
import { listTrust } from './ops/list-trust.ts';
import { replaceProfile as opsReplaceProfile } from './ops/replace-profile.ts';
import { resumeParty } from './ops/resume-party.ts';
import { retireCertificate } from './ops/retire-certificate.ts';
import { signApproval } from './ops/sign-approval.ts';
import { suspendParty } from './ops/suspend-party.ts';

/** Every function of the interfaces. A Lambda bundles the module of its own function and not this list. */
const ROWS = [
  prepareProfiles,
  cancelOrder,
  getOrderStatus,
  getOrderOutput,
  closeOrder,
  releaseProfile,
  replaceProfile,
  getOrderReport,
  es2fGetServerKeys,
  checkEligibility,
  es2fOpenTransfer,
  registerEuiccData,
  esed1CloseKeys,
  esed1OpenTransfer,
  esed1GetTransfer,
  requestBpp,
  getBppBatch,
  esbppCloseKeys,
  sendProfileLoadingReport,
  getDeletionStatement,
  esbppGetServerKeys,
  esbppOpenTransfer,
  esbppGetTransfer,
  addCrl,
  adminOpenTransfer,
  getAuditLines,
  replayCallbacks,
  getOverview,
  getHealth,
  listOrders,
  getOrder,
  listProfiles,
  listJobs,
  getJob,
  listIngests,
  listReports,
  getReport,
  listParties,
  listCallbacks,
  findDevice,
  findProfile,
  findRequest,
  listFailures,
  countFailures,
  listExpiring,
  listKeysLeft,
  listCalls,
  listTrust,
  listApprovals,
  listAuditLines,
  exportAuditLines,
  opsCancelOrder,
  opsCloseOrder,
  opsReplaceProfile,
  suspendParty,
  resumeParty,
  retireCertificate,
  signApproval,
  handleNotification,
] as const satisfies readonly InterfaceFunction[];

/** The path of a function that there is: "esbpp.requestBpp". */
export type FunctionPath = (typeof ROWS)[number]['path'];

export const functionPaths: readonly FunctionPath[] = ROWS.map(({ path }) => path);

const byPath: ReadonlyMap<FunctionName, InterfaceFunction> = new Map(ROWS.map((row) => [row.path, row]));

/** The function of a path. */
export const functionAt = (path: FunctionPath): InterfaceFunction => byPath.get(path)!;
