#include "manifest/flags.h"

#include "evidence/snp_report.h"

const struct policy_flag policy_flags[POLICY_FLAGS] = {
    { "SMT", SNP_POLICY_SMT, true },
    { "MigrateMA", SNP_POLICY_MIGRATE_MA, false },
    { "Debug", SNP_POLICY_DEBUG, false },
    { "SingleSocket", SNP_POLICY_SINGLE_SOCKET, false },
    { "CXLAllowed", SNP_POLICY_CXL_ALLOW, false },
    { "MemAES256XTS", SNP_POLICY_MEM_AES_256_XTS, false },
    { "RAPLDis", SNP_POLICY_RAPL_DIS, false },
    { "CipherTextHidingDRAM", SNP_POLICY_CIPHERTEXT_HIDING, false },
    { "PageSwapDisable", SNP_POLICY_PAGE_SWAP_DISABLE, false },
};

const struct platform_flag platform_flags[PLATFORM_FLAGS] = {
    { "SMTEnabled", SNP_PLATFORM_SMT_EN, true },
    { "TSMEEnabled", SNP_PLATFORM_TSME_EN, true },
    { "ECCEnabled", SNP_PLATFORM_ECC_EN, false },
    { "RAPLDisabled", SNP_PLATFORM_RAPL_DIS, false },
    { "CiphertextHidingDRAMEnabled", SNP_PLATFORM_CIPHERTEXT_HIDING_DRAM_EN,
      false },
    { "AliasCheckComplete", SNP_PLATFORM_ALIAS_CHECK_COMPLETE, false },
    { "TIOEnabled", SNP_PLATFORM_TIO_EN, false },
};
