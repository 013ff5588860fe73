/* platforms/common/include/px4_platform_common/time.h */
#pragma once
#define px4_usleep system_usleep
int stand_in_usleep(unsigned useconds);
