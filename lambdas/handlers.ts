import type { FunctionPath } from '../shared/gsma/permissions.ts';
import { addCrl } from './admin/add-crl.ts';
import { getAuditLines } from './admin/get-audit-lines.ts';
import { openTransfer as adminOpenTransfer } from './admin/open-transfer.ts';
import type { HandlerFactory } from './call.ts';
import { cancelOrder } from './es2f/cancel-order.ts';
import { checkEligibility } from './es2f/check-eligibility.ts';
import { closeOrder } from './es2f/close-order.ts';
import { getOrderOutput } from './es2f/get-order-output.ts';
import { getOrderReport } from './es2f/get-order-report.ts';
import { getOrderStatus } from './es2f/get-order-status.ts';
import { getServerKeys } from './es2f/get-server-keys.ts';
import { openTransfer as es2fOpenTransfer } from './es2f/open-transfer.ts';
import { prepareProfiles } from './es2f/prepare-profiles.ts';
import { releaseProfile } from './es2f/release-profile.ts';
import { replaceProfile } from './es2f/replace-profile.ts';
import { handleNotification } from './es9plus/handle-notification.ts';
import { closeKeys as esbppCloseKeys } from './esbpp/close-keys.ts';
import { getBppBatch } from './esbpp/get-bpp-batch.ts';
import { getServerKeys as esbppGetServerKeys } from './esbpp/get-server-keys.ts';
import { getTransfer as esbppGetTransfer } from './esbpp/get-transfer.ts';
import { openTransfer as esbppOpenTransfer } from './esbpp/open-transfer.ts';
import { requestBpp } from './esbpp/request-bpp.ts';
import { sendProfileLoadingReport } from './esbpp/send-profile-loading-report.ts';
import { closeKeys as esed1CloseKeys } from './esed1/close-keys.ts';
import { getTransfer as esed1GetTransfer } from './esed1/get-transfer.ts';
import { openTransfer as esed1OpenTransfer } from './esed1/open-transfer.ts';
import { registerEuiccData } from './esed1/register-euicc-data.ts';

/** Every function's handler: complete by its type, since PERMISSIONS names them all. */
export const HANDLERS: Readonly<Record<FunctionPath, HandlerFactory>> = {
  'es2f.prepareProfiles': prepareProfiles,
  'es2f.cancelOrder': cancelOrder,
  'es2f.getOrderStatus': getOrderStatus,
  'es2f.getOrderOutput': getOrderOutput,
  'es2f.closeOrder': closeOrder,
  'es2f.releaseProfile': releaseProfile,
  'es2f.replaceProfile': replaceProfile,
  'es2f.getOrderReport': getOrderReport,
  'es2f.getServerKeys': getServerKeys,
  'es2f.checkEligibility': checkEligibility,
  'es2f.openTransfer': es2fOpenTransfer,
  'esed1.registerEuiccData': registerEuiccData,
  'esed1.closeKeys': esed1CloseKeys,
  'esed1.openTransfer': esed1OpenTransfer,
  'esed1.getTransfer': esed1GetTransfer,
  'esbpp.requestBpp': requestBpp,
  'esbpp.getBppBatch': getBppBatch,
  'esbpp.closeKeys': esbppCloseKeys,
  'esbpp.sendProfileLoadingReport': sendProfileLoadingReport,
  'esbpp.getServerKeys': esbppGetServerKeys,
  'esbpp.openTransfer': esbppOpenTransfer,
  'esbpp.getTransfer': esbppGetTransfer,
  'admin.addCrl': addCrl,
  'admin.openTransfer': adminOpenTransfer,
  'admin.getAuditLines': getAuditLines,
  'es9plus.handleNotification': handleNotification,
};
