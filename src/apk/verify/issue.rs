//! What a verification found, under the names that AOSP's verifier gives (`ApkVerifier.Issue`, Android 13).

/// Declares the issues from the spelling that AOSP has.
macro_rules! issues {
    ($($name:ident = $id:literal,)*) => {
        /// A finding. What each means is said by AOSP's `ApkVerifier.Issue` under [`Issue::as_str`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Issue {
            $(#[doc = concat!("`", $id, "`")] $name,)*
        }

        impl Issue {
            /// AOSP's identifier.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                }
            }
        }
    };
}

issues! {
    JarSigDuplicateManifestSection = "JAR_SIG_DUPLICATE_MANIFEST_SECTION",
    JarSigDuplicateSigFileSection = "JAR_SIG_DUPLICATE_SIG_FILE_SECTION",
    JarSigDuplicateZipEntry = "JAR_SIG_DUPLICATE_ZIP_ENTRY",
    JarSigDidNotVerify = "JAR_SIG_DID_NOT_VERIFY",
    JarSigManifestMainSectionDigestDidNotVerify = "JAR_SIG_MANIFEST_MAIN_SECTION_DIGEST_DID_NOT_VERIFY",
    JarSigManifestSectionDigestDidNotVerify = "JAR_SIG_MANIFEST_SECTION_DIGEST_DID_NOT_VERIFY",
    JarSigMissing = "JAR_SIG_MISSING",
    JarSigMissingApkSigReferenced = "JAR_SIG_MISSING_APK_SIG_REFERENCED",
    JarSigMissingFile = "JAR_SIG_MISSING_FILE",
    JarSigMissingVersionAttrInSigFile = "JAR_SIG_MISSING_VERSION_ATTR_IN_SIG_FILE",
    JarSigMissingZipEntryReferencedInManifest = "JAR_SIG_MISSING_ZIP_ENTRY_REFERENCED_IN_MANIFEST",
    JarSigNoApkSigStripProtection = "JAR_SIG_NO_APK_SIG_STRIP_PROTECTION",
    JarSigNoManifest = "JAR_SIG_NO_MANIFEST",
    JarSigNoManifestDigestInSigFile = "JAR_SIG_NO_MANIFEST_DIGEST_IN_SIG_FILE",
    JarSigNoSignatures = "JAR_SIG_NO_SIGNATURES",
    JarSigNoSignedZipEntries = "JAR_SIG_NO_SIGNED_ZIP_ENTRIES",
    JarSigNoSigners = "JAR_SIG_NO_SIGNERS",
    JarSigNoZipEntryDigestInManifest = "JAR_SIG_NO_ZIP_ENTRY_DIGEST_IN_MANIFEST",
    JarSigNoZipEntryDigestInSigFile = "JAR_SIG_NO_ZIP_ENTRY_DIGEST_IN_SIG_FILE",
    JarSigParseException = "JAR_SIG_PARSE_EXCEPTION",
    JarSigUnknownApkSigSchemeId = "JAR_SIG_UNKNOWN_APK_SIG_SCHEME_ID",
    JarSigUnnnamedManifestSection = "JAR_SIG_UNNNAMED_MANIFEST_SECTION",
    JarSigUnnnamedSigFileSection = "JAR_SIG_UNNNAMED_SIG_FILE_SECTION",
    JarSigUnprotectedZipEntry = "JAR_SIG_UNPROTECTED_ZIP_ENTRY",
    JarSigUnsupportedSigAlg = "JAR_SIG_UNSUPPORTED_SIG_ALG",
    JarSigVerifyException = "JAR_SIG_VERIFY_EXCEPTION",
    JarSigZipEntryDigestDidNotVerify = "JAR_SIG_ZIP_ENTRY_DIGEST_DID_NOT_VERIFY",
    JarSigZipEntryNotSigned = "JAR_SIG_ZIP_ENTRY_NOT_SIGNED",
    JarSigZipEntrySignersMismatch = "JAR_SIG_ZIP_ENTRY_SIGNERS_MISMATCH",
    V2SigApkDigestDidNotVerify = "V2_SIG_APK_DIGEST_DID_NOT_VERIFY",
    V2SigDidNotVerify = "V2_SIG_DID_NOT_VERIFY",
    V2SigMalformedAdditionalAttribute = "V2_SIG_MALFORMED_ADDITIONAL_ATTRIBUTE",
    V2SigMalformedCertificate = "V2_SIG_MALFORMED_CERTIFICATE",
    V2SigMalformedDigest = "V2_SIG_MALFORMED_DIGEST",
    V2SigMalformedPublicKey = "V2_SIG_MALFORMED_PUBLIC_KEY",
    V2SigMalformedSignature = "V2_SIG_MALFORMED_SIGNATURE",
    V2SigMalformedSigner = "V2_SIG_MALFORMED_SIGNER",
    V2SigMalformedSigners = "V2_SIG_MALFORMED_SIGNERS",
    V2SigMaxSignaturesExceeded = "V2_SIG_MAX_SIGNATURES_EXCEEDED",
    V2SigMissing = "V2_SIG_MISSING",
    V2SigMissingApkSigReferenced = "V2_SIG_MISSING_APK_SIG_REFERENCED",
    V2SigNoCertificates = "V2_SIG_NO_CERTIFICATES",
    V2SigNoSignatures = "V2_SIG_NO_SIGNATURES",
    V2SigNoSigners = "V2_SIG_NO_SIGNERS",
    V2SigNoSupportedSignatures = "V2_SIG_NO_SUPPORTED_SIGNATURES",
    V2SigPublicKeyMismatchBetweenCertificateAndSignaturesRecord = "V2_SIG_PUBLIC_KEY_MISMATCH_BETWEEN_CERTIFICATE_AND_SIGNATURES_RECORD",
    V2SigSigAlgMismatchBetweenSignaturesAndDigestsRecords = "V2_SIG_SIG_ALG_MISMATCH_BETWEEN_SIGNATURES_AND_DIGESTS_RECORDS",
    V2SigUnknownAdditionalAttribute = "V2_SIG_UNKNOWN_ADDITIONAL_ATTRIBUTE",
    V2SigUnknownApkSigSchemeId = "V2_SIG_UNKNOWN_APK_SIG_SCHEME_ID",
    V2SigUnknownSigAlgorithm = "V2_SIG_UNKNOWN_SIG_ALGORITHM",
    V2SigVerifyException = "V2_SIG_VERIFY_EXCEPTION",
    V3InconsistentLineages = "V3_INCONSISTENT_LINEAGES",
    V3InconsistentSdkVersions = "V3_INCONSISTENT_SDK_VERSIONS",
    V3MaxSdkVersionMismatchBetweenSignerAndSignedDataRecord = "V3_MAX_SDK_VERSION_MISMATCH_BETWEEN_SIGNER_AND_SIGNED_DATA_RECORD",
    V3MinSdkVersionMismatchBetweenSignerAndSignedDataRecord = "V3_MIN_SDK_VERSION_MISMATCH_BETWEEN_SIGNER_AND_SIGNED_DATA_RECORD",
    V3MissingSdkVersions = "V3_MISSING_SDK_VERSIONS",
    V3SigApkDigestDidNotVerify = "V3_SIG_APK_DIGEST_DID_NOT_VERIFY",
    V3SigDidNotVerify = "V3_SIG_DID_NOT_VERIFY",
    V3SigInvalidSdkVersions = "V3_SIG_INVALID_SDK_VERSIONS",
    V3SigMalformedAdditionalAttribute = "V3_SIG_MALFORMED_ADDITIONAL_ATTRIBUTE",
    V3SigMalformedCertificate = "V3_SIG_MALFORMED_CERTIFICATE",
    V3SigMalformedDigest = "V3_SIG_MALFORMED_DIGEST",
    V3SigMalformedLineage = "V3_SIG_MALFORMED_LINEAGE",
    V3SigMalformedPublicKey = "V3_SIG_MALFORMED_PUBLIC_KEY",
    V3SigMalformedSignature = "V3_SIG_MALFORMED_SIGNATURE",
    V3SigMalformedSigner = "V3_SIG_MALFORMED_SIGNER",
    V3SigMalformedSigners = "V3_SIG_MALFORMED_SIGNERS",
    V3SigMultiplePastSigners = "V3_SIG_MULTIPLE_PAST_SIGNERS",
    V3SigMultipleSigners = "V3_SIG_MULTIPLE_SIGNERS",
    V3SigNoCertificates = "V3_SIG_NO_CERTIFICATES",
    V3SigNoSignatures = "V3_SIG_NO_SIGNATURES",
    V3SigNoSigners = "V3_SIG_NO_SIGNERS",
    V3SigNoSupportedSignatures = "V3_SIG_NO_SUPPORTED_SIGNATURES",
    V3SigPastSignersMismatch = "V3_SIG_PAST_SIGNERS_MISMATCH",
    V3SigPorCertMismatch = "V3_SIG_POR_CERT_MISMATCH",
    V3SigPorDidNotVerify = "V3_SIG_POR_DID_NOT_VERIFY",
    V3SigPublicKeyMismatchBetweenCertificateAndSignaturesRecord = "V3_SIG_PUBLIC_KEY_MISMATCH_BETWEEN_CERTIFICATE_AND_SIGNATURES_RECORD",
    V3SigSigAlgMismatchBetweenSignaturesAndDigestsRecords = "V3_SIG_SIG_ALG_MISMATCH_BETWEEN_SIGNATURES_AND_DIGESTS_RECORDS",
    V3SigUnknownAdditionalAttribute = "V3_SIG_UNKNOWN_ADDITIONAL_ATTRIBUTE",
    V3SigUnknownSigAlgorithm = "V3_SIG_UNKNOWN_SIG_ALGORITHM",
    V3SigVerifyException = "V3_SIG_VERIFY_EXCEPTION",
    V31BlockFoundWithoutV3Block = "V31_BLOCK_FOUND_WITHOUT_V3_BLOCK",
    V31BlockMissing = "V31_BLOCK_MISSING",
    V31RotationMinSdkAttrMissing = "V31_ROTATION_MIN_SDK_ATTR_MISSING",
    V31RotationMinSdkMismatch = "V31_ROTATION_MIN_SDK_MISMATCH",
    V31RotationTargetsDevReleaseAttrOnV3Signer = "V31_ROTATION_TARGETS_DEV_RELEASE_ATTR_ON_V3_SIGNER",
    SourceStampCertificateMismatchBetweenSignatureBlockAndApk = "SOURCE_STAMP_CERTIFICATE_MISMATCH_BETWEEN_SIGNATURE_BLOCK_AND_APK",
    SourceStampCertDigestAndSigBlockMissing = "SOURCE_STAMP_CERT_DIGEST_AND_SIG_BLOCK_MISSING",
    SourceStampDidNotVerify = "SOURCE_STAMP_DID_NOT_VERIFY",
    SourceStampExpectedDigestMismatch = "SOURCE_STAMP_EXPECTED_DIGEST_MISMATCH",
    SourceStampInvalidTimestamp = "SOURCE_STAMP_INVALID_TIMESTAMP",
    SourceStampMalformedAttribute = "SOURCE_STAMP_MALFORMED_ATTRIBUTE",
    SourceStampMalformedCertificate = "SOURCE_STAMP_MALFORMED_CERTIFICATE",
    SourceStampMalformedLineage = "SOURCE_STAMP_MALFORMED_LINEAGE",
    SourceStampMalformedSignature = "SOURCE_STAMP_MALFORMED_SIGNATURE",
    SourceStampNoSignature = "SOURCE_STAMP_NO_SIGNATURE",
    SourceStampNoSupportedSignature = "SOURCE_STAMP_NO_SUPPORTED_SIGNATURE",
    SourceStampPorCertMismatch = "SOURCE_STAMP_POR_CERT_MISMATCH",
    SourceStampPorDidNotVerify = "SOURCE_STAMP_POR_DID_NOT_VERIFY",
    SourceStampSigMissing = "SOURCE_STAMP_SIG_MISSING",
    SourceStampSignatureBlockWithoutCertDigest = "SOURCE_STAMP_SIGNATURE_BLOCK_WITHOUT_CERT_DIGEST",
    SourceStampUnknownAttribute = "SOURCE_STAMP_UNKNOWN_ATTRIBUTE",
    SourceStampUnknownSigAlgorithm = "SOURCE_STAMP_UNKNOWN_SIG_ALGORITHM",
    SourceStampVerifyException = "SOURCE_STAMP_VERIFY_EXCEPTION",
    MalformedApk = "MALFORMED_APK",
    MinSigSchemeForTargetSdkNotMet = "MIN_SIG_SCHEME_FOR_TARGET_SDK_NOT_MET",
    NoSigForTargetSandboxVersion = "NO_SIG_FOR_TARGET_SANDBOX_VERSION",
}
