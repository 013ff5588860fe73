/* src/modules/interface/app.h */
#pragma once
void appInit();
void appMain();
