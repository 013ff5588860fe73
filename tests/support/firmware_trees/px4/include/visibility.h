/* platforms/common/include/... visibility.h: included into every file of PX4 */
#pragma once
#define __EXPORT __attribute__((visibility("default")))
#ifdef __cplusplus
#define __BEGIN_DECLS extern "C" {
#define __END_DECLS }
#else
#define __BEGIN_DECLS
#define __END_DECLS
#endif
#define system_usleep stand_in_usleep
#define usleep please_use_px4_usleep
