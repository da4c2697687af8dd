import { createContext, useContext } from 'react';
import type { Login } from './session.ts';

export const LoginContext = createContext<Login>({ person: '', role: 'viewer', by: '' });

export const useLogin = (): Login => useContext(LoginContext);
export const useMayChange = (): boolean => useLogin().role === 'administrator';
