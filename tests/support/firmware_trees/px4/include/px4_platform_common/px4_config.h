/* platforms/common/include/px4_platform_common/px4_config.h: the configuration of NuttX */
#pragma once
#define CONFIG_RR_INTERVAL 0
