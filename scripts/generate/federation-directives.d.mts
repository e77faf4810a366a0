export declare const federationDirectives: string;
